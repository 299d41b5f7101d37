import { availableParallelism } from 'node:os';
import { startSystem } from '../test/harness/system.ts';
import { bareOnCores } from './bare.ts';
import { type Bench, repeat, timed } from './bench.ts';
import { BenchClient } from './queries.ts';
import { chromeTraces } from './traces.ts';

const SQL = 'SELECT count(*) AS n FROM slice';

/** Compares a query on a system without loaded traces with the bare engine on the same cores. */
export const cold: Bench = {
  name: 'cold',
  async run(quick) {
    using traces = chromeTraces(quick ? [1, 1, 2, 2] : [1, 1, 2, 2, 5, 5, 10, 10, 20, 20, 20, 20]);
    const samples = await repeat(quick ? 1 : 3, async () => {
      const bareMs = await bareOnCores(availableParallelism(), SQL, traces.files);
      await using system = await startSystem({ traces: traces.dir });
      using benchClient = new BenchClient(system.orchestrator);
      return bareMs / (await timed(() => benchClient.query(['/local/**'], SQL)));
    });
    const what = 'cold fleet query, traces of 1-20 MB: speed of the bare engine on the same cores';
    return [{ what, unit: 'x', target: { atLeast: 0.85 }, samples }];
  },
};
