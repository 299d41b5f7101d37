import { availableParallelism } from 'node:os';
import { startSystem } from '../test/harness/system.ts';
import { bareOnCores } from './bare.ts';
import { type Bench, repeat, timed } from './bench.ts';
import { BenchClient } from './queries.ts';
import { smallTraces } from './traces.ts';

const SQL = 'SELECT count(*) AS n FROM sched';

export const smallTracesBench: Bench = {
  name: 'small-traces',
  async run(quick) {
    const count = quick ? 200 : 10_000;
    using traces = smallTraces(count);
    const cores = availableParallelism();
    const samples = await repeat(1, async () => {
      const some = traces.files.slice(0, 1000);
      const bareMs = (await bareOnCores(cores, SQL, some)) / some.length;
      await using system = await startSystem({ traces: traces.dir });
      using benchClient = new BenchClient(system.orchestrator);
      const fleetMs = await timed(() => benchClient.query(['/local/**'], SQL));
      return (fleetMs / count - bareMs) * cores;
    });
    const what = `${count.toLocaleString('en')} traces of 10 KB: core time of each beyond the bare engine's`;
    return [{ what, unit: 'ms', target: { atMost: 6 }, samples }];
  },
};
