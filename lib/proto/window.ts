/** What may be on its way to a reader: HTTP/2's own 64 KiB would be 6 MB/s where a round trip takes 10 ms. */
export const RECEIVE_WINDOW_BYTES = 2 ** 20;
