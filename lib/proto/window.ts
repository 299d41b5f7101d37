/** HTTP/2 receive window. The default of 64 KiB would limit a stream to 6 MB/s at a round-trip time of 10 ms. */
export const RECEIVE_WINDOW_BYTES = 2 ** 20;
