/** A step of reading a trace: takes bytes, passes what they become to the next one. */
export interface Sink {
  /** The bytes are the caller's again once this has returned. */
  push(bytes: Uint8Array): void;
  /** No more bytes follow. */
  end(): void;
}
