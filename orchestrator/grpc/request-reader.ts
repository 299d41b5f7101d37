/** Reads the messages of a client one at a time; flow control holds the others back at the client. */
import type { Readable } from 'node:stream';

export class RequestReader<T> {
  readonly #stream: Readable;
  #messages: T[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  /** @param stream in object mode; it is paused until `next` needs a message */
  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on('data', (message: T) => {
      this.#messages.push(message);
      stream.pause();
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    stream.on('end', end);
    stream.on('close', end);
  }

  /** Returns the next message; undefined at the end of the stream. */
  async next(): Promise<T | undefined> {
    while (this.#messages.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#stream.resume();
      });
    }
    return this.#messages.shift();
  }

  /** Ends the reader and discards all further messages. */
  discard(): void {
    this.#stream.removeAllListeners('data');
    this.#messages = [];
    this.#ended = true;
    this.#wake();
    this.#stream.resume();
  }
}
