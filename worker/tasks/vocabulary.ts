/** The names that scripts can use on the worker's engine, asked of the engine once. */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { VocabularyModule } from '../../lib/engine/index.ts';
import { askSpareThread, type SpareThreadParts } from './spare-thread.ts';

const ASK_MS_MAX = 60_000;

export class Vocabulary {
  readonly #parts: SpareThreadParts;
  #modules: Promise<VocabularyModule[]> | undefined;

  constructor(parts: SpareThreadParts) {
    this.#parts = parts;
  }

  /** Resolves to the names. One thread at a time is asked, and its answer is kept. @throws BigtraceError internal */
  modules(): Promise<VocabularyModule[]> {
    if (this.#modules !== undefined) return this.#modules;
    const modules = this.#ask();
    this.#modules = modules;
    modules.catch(() => {
      this.#modules = undefined; // the next caller asks again
    });
    return modules;
  }

  async #ask(): Promise<VocabularyModule[]> {
    const reply = await askSpareThread(this.#parts, { type: 'vocabulary' }, ASK_MS_MAX);
    if (reply?.type === 'vocabulary') return reply.modules;
    const why = reply?.type === 'failed' ? reply.detail : `no answer in ${ASK_MS_MAX / 1000} s`;
    throw new BigtraceError('internal', `cannot list the names that the engine knows: ${why}`);
  }
}
