/** Compares the engine as machine code (`bigtrace engine compile`) with the engine in V8. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { startSystem } from '../test/harness/system.ts';
import { ADDONS, compileNative } from '../tools/test-run/native-engine.mjs';
import { bareOnCores } from './bare.ts';
import { BENCH_PROGRAM, type Bench, type Measure, repeat, timed } from './bench.ts';
import { BenchClient } from './queries.ts';
import { RUNTIME, type RuntimeTask, type RuntimeTimes } from './runtime-child.ts';
import { chromeTraces, protoTraces, type TraceDir } from './traces.ts';

const COUNT = 'SELECT count(*) AS n FROM slice';

type Runtime = 'v8' | 'native';

export const runtimes: Bench = {
  name: 'runtimes',
  onlyByName: true,
  async run(quick) {
    if (compileNative() !== 0)
      throw new Error(
        'the bench needs a compiled engine: docs/engines.md says what compiling needs',
      );
    using large = chromeTraces([quick ? 2 : 19]);
    using small = protoTraces(40);
    const pairs = new Pairs();
    for (let n = 0; n < (quick ? 1 : 3); n++) {
      await pairs.add('parse', 'hot', large, ({ parseMs }) => parseMs);
      await pairs.add('scan', 'hot', large, ({ queryMs }) => queryMs);
      await pairs.add('memory', 'first', large, ({ rssMiB }) => rssMiB);
      await pairs.add('small', 'first', small, ({ processMs }) => processMs);
      pairs.put('worker', await freshWorker(large, 'v8'), await freshWorker(large, 'native'));
    }
    const fleet = await repeat(quick ? 1 : 3, () => coldFleet(quick));
    const { cancelMs } = await child('cancel', 'native', small);
    return [
      ratio('cold fleet with compiled engines, 1-20 MB: speed of the bare engine in V8', fleet, {
        atLeast: 1.25,
      }),
      ratio('parse of 19 MB, CPU: hot V8 / compiled', pairs.of('parse', 'v8', 'native'), {
        atLeast: 1.25,
      }),
      ratio('scan of its slices, CPU: hot V8 / compiled', pairs.of('scan', 'v8', 'native')),
      ratio(
        'fresh worker, CPU from its start to its first result, on 19 MB: compiled / V8',
        pairs.of('worker', 'native', 'v8'),
        { atMost: 0.4 },
      ),
      ratio(
        '40 traces of 117 KB in a fresh process, CPU: compiled / V8',
        pairs.of('small', 'native', 'v8'),
        { atMost: 0.25 },
      ),
      ratio(
        'memory of a process with the 19 MB trace: compiled / V8',
        pairs.of('memory', 'native', 'v8'),
      ),
      {
        what: 'compiled engine: from the cancellation of an endless script until the thread is free',
        unit: 'ms',
        target: { atMost: 100 },
        samples: cancelMs,
      },
    ];
  },
};

function ratio(what: string, samples: number[], target?: Measure['target']): Measure {
  return { what, unit: 'x', samples, ...(target === undefined ? {} : { target }) };
}

/** Measurements of both runtimes, made one after the other. */
class Pairs {
  readonly #pairs = new Map<string, Record<Runtime, number>[]>();

  async add(
    name: string,
    task: RuntimeTask,
    traces: TraceDir,
    value: (times: RuntimeTimes) => number,
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
}

async function child(
  task: RuntimeTask,
  runtime: Runtime,
  { files }: TraceDir,
): Promise<RuntimeTimes> {
  const args = [BENCH_PROGRAM, RUNTIME, task, runtime, ADDONS, ...files];
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout) as RuntimeTimes;
}

/** Returns the speed of a query on a system without loaded traces, in that of the bare engine on the same cores. */
async function coldFleet(quick: boolean): Promise<number> {
  using traces = chromeTraces(quick ? [1, 1, 2, 2] : [1, 1, 2, 2, 5, 5, 10, 10, 20, 20, 20, 20]);
  const bareMs = await bareOnCores(availableParallelism(), COUNT, traces.files);
  await using system = await startSystem({ traces: traces.dir, flags: flagsOf('native') });
  using client = new BenchClient(system.orchestrator);
  return bareMs / (await timed(() => client.query(['/local/**'], COUNT)));
}

function flagsOf(runtime: Runtime): string[] {
  return ['--engine-runtime', runtime, '--engine-addons', ADDONS];
}

/** Returns the processor time of a worker from its start until it has sent its first result, in milliseconds. */
async function freshWorker({ dir }: TraceDir, runtime: Runtime): Promise<number> {
  await using system = await startSystem({ traces: dir, workers: 1, flags: flagsOf(runtime) });
  using client = new BenchClient(system.orchestrator);
  await client.query(['/local/**'], COUNT);
  const { pid } = system.processes.find(({ name }) => name.startsWith('worker')) ?? {};
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
