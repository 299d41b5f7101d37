/**
 * The engine of one query. Where workers have different engines, all traces of a query are run by one of them: the one
 * that the script names or, without a name, the one that most workers have when the query begins.
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import { type EngineNames, engineText, namesEngine } from '../../lib/common/text/engine-comment.ts';

/** What matters of the fleet; `workers` includes those that cannot be used now. */
interface Engines {
  usable: EngineNames[];
  workers: EngineNames[];
}

export class EnginePin {
  readonly #named: string | undefined;
  /** WorkerStatus.engine of the workers that may be used; undefined until it is chosen. */
  #engine: string | undefined;

  constructor(named: string | undefined) {
    this.#named = named;
  }

  /** Whether the query may use a worker with this engine. */
  accepts({ engine }: EngineNames): boolean {
    return engine === this.#engine;
  }

  /** Chooses the engine unless it is chosen. @throws invalid_option if no worker has the one that the script names */
  choose(fleet: Engines): void {
    if (this.#engine !== undefined || fleet.usable.length === 0) return;
    const named = this.#named;
    const isNamed = (worker: EngineNames): boolean =>
      named === undefined || namesEngine(named, worker);
    this.#engine = mostUsed(fleet.usable.filter(isNamed));
    if (this.#engine === undefined && !fleet.workers.some(isNamed)) throw unknown(named, fleet);
  }

  /** Lets `choose` choose again: nothing depends on the engine yet, and its workers have left. */
  release(): void {
    this.#engine = undefined;
  }

  /** The error when no worker has the engine any more. */
  gone({ usable }: Engines): BigtraceError {
    const had =
      this.#engine === undefined
        ? this.#named
        : engineText({ engineName: '', engine: this.#engine });
    return new BigtraceError(
      'no_workers',
      `no worker has the engine ${had} any more, the query's engine; there are ${listed(usable)}: run the query again`,
    );
  }
}

/** Returns the engine that most workers have; of several, the one with the highest version. */
function mostUsed(workers: readonly EngineNames[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { engine } of workers) counts.set(engine, (counts.get(engine) ?? 0) + 1);
  const newest = (one: string, other: string): number =>
    other.localeCompare(one, 'en', { numeric: true });
  const [most] = [...counts].sort(
    ([one, count], [other, otherCount]) => otherCount - count || newest(one, other),
  );
  return most?.[0];
}

function unknown(named: string | undefined, { usable }: Engines): BigtraceError {
  return new BigtraceError(
    'invalid_option',
    `no worker has the engine ${named}; there are ${listed(usable)}`,
  );
}

function listed(workers: readonly EngineNames[]): string {
  return [...new Set(workers.map(engineText))].sort().join(', ');
}
