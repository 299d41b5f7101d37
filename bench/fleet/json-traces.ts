/** Measures queries on distinct small JSON traces, which another part of the engine loads, with both runtimes. */
import { startSystem } from '../../test/harness/system.ts';
import { ADDONS, compileNative } from '../../tools/test-run/native-engine.mjs';
import { type Bench, type Measure, timed } from '../bench.ts';
import { BenchClient } from '../queries.ts';
import { cpuMsDuring } from './cpu.ts';
import { indexed, whole } from './fleet.ts';
import { distinctJsonTraces } from './generator.ts';

/** The number of traces that the results are computed for. */
const TRACES = 10_000;
const ALL = ['/local/**'];

/** Seconds that each step took on 2 cores before engines were primed, and what is left of them with each runtime. */
const BEFORE = { cold: 89, index: 79, 'a second script': 79 };
const TARGETS = { V8: 0.7, compiled: 0.4 };

export const jsonFleet: Bench = {
  name: 'json-traces',
  onlyByName: true,
  table: 'json-traces',
  async run(quick) {
    if (compileNative() !== 0)
      throw new Error(
        'the bench needs a compiled engine: docs/engines.md says what compiling needs',
      );
    const count = quick ? 100 : Number(process.env['BENCH_JSON_TRACES'] ?? 2000);
    return [...(await ofRuntime('V8', count)), ...(await ofRuntime('compiled', count))];
  },
};

async function ofRuntime(runtime: keyof typeof TARGETS, count: number): Promise<Measure[]> {
  using traces = distinctJsonTraces(count);
  const name = runtime === 'V8' ? 'v8' : 'native';
  const flags = ['--engine-runtime', name, '--engine-addons', ADDONS];
  await using system = await startSystem({ traces: traces.dir, flags });
  using client = new BenchClient(system.orchestrator);
  const measures: Measure[] = [];
  for (const [step, work] of [
    ['cold', () => client.query(ALL, 'SELECT count(*) AS n FROM slice')],
    ['index', () => indexed(system)],
    ['a second script', () => client.query(ALL, 'SELECT count(*) AS n FROM thread')],
  ] as const) {
    let ms = 0;
    const cpu = await cpuMsDuring(system, async () => {
      ms = await timed(work);
    });
    const seconds = (measured: number): number[] => [((measured / 1000) * TRACES) / count];
    const what = `10,000 JSON traces of 4 KB, of which ${count.toLocaleString('en')} were measured, ${runtime}: ${step}`;
    const target = { atMost: BEFORE[step] * TARGETS[runtime] };
    measures.push(
      { what, unit: 's', target, samples: seconds(ms) },
      { what: `${what}, processor time`, unit: 's', samples: seconds(whole(cpu)) },
    );
  }
  return measures;
}
