/** Counts the tasks of a query that have not ended, and the bytes of their traces. */
import type { QueryTask } from '../dispatch/task.ts';
import type { QueryLoad } from './query-spec.ts';

export class UnendedTasks {
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  add(task: QueryTask): QueryTask {
    this.#count += 1;
    this.#bytes += task.size;
    return task;
  }

  remove({ size }: QueryTask): void {
    this.#count -= 1;
    this.#bytes -= size;
  }

  /** @param inFlight number of the tasks that are assigned to a worker */
  load(inFlight: number): QueryLoad {
    return { waiting: Math.max(this.#count - inFlight, 0), inFlight, traceBytes: this.#bytes };
  }
}
