/** A stage of reading a trace: it converts bytes and passes them to the next stage. */
export interface Sink {
  /** The caller may reuse the memory of `bytes` after this returns. */
  push(bytes: Uint8Array): void;
  /** Ends the input: no more bytes follow. */
  end(): void;
}
