/** Runs the processes of the bench `runtimes`, and pairs what they measure. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ADDONS } from '../../tools/test-run/native-engine.mjs';
import { BENCH_PROGRAM } from '../bench.ts';
import type { TraceDir } from '../traces.ts';
import type { RuntimeTask, RuntimeTimes } from './times.ts';

export type Runtime = 'v8' | 'native';

const CHILD = join(dirname(BENCH_PROGRAM), 'bench-runtime.js');

export async function child(
  task: RuntimeTask,
  runtime: Runtime,
  { files }: Pick<TraceDir, 'files'>,
): Promise<Required<RuntimeTimes>> {
  const args = [CHILD, task, runtime, ADDONS, ...files];
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout);
}

/** Measurements of both runtimes, made one after the other. */
export class Pairs {
  readonly #pairs = new Map<string, Record<Runtime, number>[]>();

  async add(
    name: string,
    task: RuntimeTask,
    traces: TraceDir,
    value: (times: Required<RuntimeTimes>) => number,
  ): Promise<void> {
    this.put(
      name,
      value(await child(task, 'v8', traces)),
      value(await child(task, 'native', traces)),
    );
  }

  put(name: string, v8: number, native: number): void {
    console.error(`${name}: V8 ${v8.toFixed(0)}, compiled ${native.toFixed(0)}`);
    this.#pairs.set(name, [...(this.#pairs.get(name) ?? []), { v8, native }]);
  }

  of(name: string, one: Runtime, other: Runtime): number[] {
    return (this.#pairs.get(name) ?? []).map((pair) => pair[one] / pair[other]);
  }

  values(name: string, runtime: Runtime): number[] {
    return (this.#pairs.get(name) ?? []).map((pair) => pair[runtime]);
  }
}
