import { availableParallelism } from 'node:os';
import { startSystem } from '../test/harness/system.ts';
import { bareOnCores } from './bare.ts';
import { type Bench, repeat, timed } from './bench.ts';
import { distinctTextTraces } from './fleet/generator.ts';
import { BenchClient } from './queries.ts';

/** Traces that each bare engine loads before it is timed, so that V8 has optimized its code, and timed ones. */
const WARM = 1000;
const TIMED = 500;

const SQL = 'SELECT count(*) AS n FROM sched';

export const smallTracesBench: Bench = {
  name: 'small-traces',
  table: 'small-traces',
  async run(quick) {
    const count = quick ? 200 : 10_000;
    using traces = distinctTextTraces(count);
    const cores = availableParallelism();
    const samples = await repeat(1, async () => {
      const [warm, each] = quick ? [50, 50] : [WARM, TIMED];
      const some = traces.files.slice(0, cores * (warm + each));
      const bareMs = (await bareOnCores(cores, SQL, some, warm)) / (some.length - cores * warm);
      await using system = await startSystem({ traces: traces.dir });
      using benchClient = new BenchClient(system.orchestrator);
      const fleetMs = await timed(() => benchClient.query(['/local/**'], SQL));
      return (fleetMs / count - bareMs) * cores;
    });
    const what = `${count.toLocaleString('en')} distinct traces of 10 KB: core time of each beyond the hot bare engine's`;
    return [{ what, unit: 'ms', target: { atMost: 0.5 }, samples }];
  },
};
