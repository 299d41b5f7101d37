/** Compares the engine as machine code (`bigtrace engine compile`) with the engine in V8. */
import { compileNative } from '../../tools/test-run/native-engine.mjs';
import { type Bench, type Measure, repeat } from '../bench.ts';
import { chromeTraces, protoTraces, type TraceDir } from '../traces.ts';
import { child, Pairs, type Runtime } from './pairs.ts';
import { afterRestart, coldFleet, freshWorker } from './systems.ts';

export const runtimes: Bench = {
  name: 'runtimes',
  onlyByName: true,
  table: 'runtimes',
  async run(quick) {
    if (compileNative() !== 0)
      throw new Error(
        'the bench needs a compiled engine: docs/engines.md says what compiling needs',
      );
    using large = chromeTraces([quick ? 2 : 19]);
    using small = protoTraces(40);
    const times = quick ? 1 : 3;
    const pairs = new Pairs();
    const plain: number[] = [];
    for (let n = 0; n < times; n++) {
      await pairs.add('parse', 'hot', large, ({ parseMs }) => parseMs);
      await pairs.add('scan', 'hot', large, ({ queryMs }) => queryMs);
      await pairs.add('memory', 'first', large, ({ rssMiB }) => rssMiB);
      await pairs.add('small', 'first', small, ({ processMs }) => processMs);
      plain.push((await child('plain', 'v8', small)).processMs);
      pairs.put('worker', await freshWorker(large, 'v8'), await freshWorker(large, 'native'));
    }
    const { cancelMs } = await child('cancel', 'native', small);
    return [
      ...comparisons(pairs),
      ...smallTraces(pairs, plain),
      ...(await sharedMemory(quick, pairs)),
      ...(await coldFleets(quick, times)),
      ...(await restarts(quick)),
      {
        what: 'compiled engine: from the cancellation of an endless script until the thread is free',
        unit: 'ms',
        target: { atMost: 100 },
        samples: cancelMs,
      },
    ];
  },
};

async function coldFleets(quick: boolean, times: number): Promise<Measure[]> {
  const ratios: Awaited<ReturnType<typeof coldFleet>>[] = [];
  for (let n = 0; n < times; n++) ratios.push(await coldFleet(quick));
  const what = 'cold fleet with compiled engines, 1-20 MB, CPU: hot V8 alone / workers';
  return [
    ratio(
      `${what}, their first 12 traces`,
      ratios.map(({ first }) => first),
    ),
    ratio(
      `${what}, the next 12`,
      ratios.map(({ next }) => next),
      { atLeast: 1.25 },
    ),
  ];
}

function comparisons(pairs: Pairs): Measure[] {
  return [
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
      'memory of a process with the 19 MB trace: compiled / V8',
      pairs.of('memory', 'native', 'v8'),
    ),
  ];
}

/** @param plain times of a process with the engine as it is without Bigtrace, in V8 */
function smallTraces(pairs: Pairs, plain: number[]): Measure[] {
  const what = '40 traces of 117 KB in a fresh process, CPU';
  const toPlain = (runtime: Runtime): number[] =>
    pairs.values('small', runtime).map((ms, at) => ms / (plain[at] ?? Number.NaN));
  return [
    ratio(`${what}: V8 / V8 with the engine as it is without Bigtrace`, toPlain('v8'), {
      atMost: 0.6,
    }),
    ratio(`${what}: compiled / V8 with the engine as it is without Bigtrace`, toPlain('native'), {
      atMost: 0.25,
    }),
  ];
}

/** What it takes that several engines have one trace. In a quick run the trace is large enough to be shared, too. */
async function sharedMemory(quick: boolean, pairs: Pairs): Promise<Measure[]> {
  using trace: TraceDir = chromeTraces([19]);
  const restore: number[] = [];
  for (let n = 0; n < (quick ? 1 : 3); n++) {
    const { fromFileMs, mappedMs } = await child('restore', 'native', trace);
    console.error(`back: file ${fromFileMs.toFixed(0)}, mapped ${mappedMs.toFixed(0)}`);
    restore.push(mappedMs / fromFileMs);
    await pairs.add('shared', 'shared', trace, ({ pssMiB }) => pssMiB);
  }
  return [
    ratio(
      'trace of 19 MB, with its first query, CPU: mapped from another engine / from its file',
      restore,
      { atMost: 0.1 },
    ),
    {
      what: 'compiled engines: memory (PSS) of a process with 4 threads that have the trace of 19 MB',
      unit: 'MiB',
      target: { atMost: 220 },
      samples: pairs.values('shared', 'native'),
    },
  ];
}

async function restarts(quick: boolean): Promise<Measure[]> {
  using traces = chromeTraces(Array.from({ length: quick ? 2 : 8 }, () => (quick ? 2 : 20)));
  const times = quick ? 1 : 3;
  const size = quick ? '2 x 2 MB' : '8 x 20 MB';
  return [
    ratio(
      `compiled engines: after a restart, from snapshots, vs cold, ${size}`,
      await repeat(times, () => afterRestart(traces, false)),
      { atLeast: 5 },
    ),
    ratio(
      `compiled engines: after a restart, from uncompressed snapshots, vs cold, ${size}`,
      await repeat(times, () => afterRestart(traces, true)),
      { atLeast: 15 },
    ),
  ];
}

function ratio(what: string, samples: number[], target?: Measure['target']): Measure {
  return { what, unit: 'x', samples, ...(target === undefined ? {} : { target }) };
}
