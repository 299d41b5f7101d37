/**
 * Passes a container (zip, tar, gzip) on unchanged, and looks into it at the same time. The stage that looks throws
 * ReadAgain where the engine would miss or refuse something that can be converted.
 */
import { BigtraceError } from '../../../common/errors.ts';
import type { Sink } from '../stage.ts';

export class ArchiveProbe implements Sink {
  readonly #next: Sink;
  readonly #refuse: (damage: BigtraceError) => void;
  readonly #looksOn: () => boolean;
  #look: Sink | undefined;

  /**
   * @param refuse receives what is wrong with the container; it counts if the engine reads the container without an error
   * @param looksOn whether it is still of use to look
   */
  constructor(
    next: Sink,
    look: Sink,
    refuse: (damage: BigtraceError) => void,
    looksOn: () => boolean = () => true,
  ) {
    this.#next = next;
    this.#look = look;
    this.#refuse = refuse;
    this.#looksOn = looksOn;
  }

  push(bytes: Uint8Array): void {
    this.#try(() => this.#look?.push(bytes));
    if (!this.#looksOn()) this.#look = undefined;
    this.#next.push(bytes);
  }

  end(): void {
    this.#try(() => this.#look?.end());
    this.#next.end();
  }

  /** @throws ReadAgain; limit_exceeded */
  #try(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      if (!(thrown instanceof BigtraceError) || thrown.code !== 'trace_invalid') throw thrown;
      this.#look = undefined;
      this.#refuse(thrown);
    }
  }
}
