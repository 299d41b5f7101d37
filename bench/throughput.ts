import { startSystem } from '../test/harness/system.ts';
import { type Bench, quantile, timed } from './bench.ts';
import { BenchClient, uncachedSql } from './queries.ts';

const CLIENTS = 16;
const TRACES = ['chrome/fetch-a', 'linux/atrace-print', 'linux/deflate-find', 'linux/gzip-cpu'];

/** Measures queries per second and latencies of 16 clients, each of which repeatedly queries one loaded trace. */
export const throughput: Bench = {
  name: 'throughput',
  async run(quick) {
    await using system = await startSystem();
    const query = (benchClient: BenchClient, n: number): Promise<void> =>
      benchClient.query(
        [`/local/${TRACES[n % TRACES.length]}.pftrace`],
        `SELECT count(*) AS n FROM slice WHERE ${uncachedSql('dur')}`,
      );
    using first = new BenchClient(system.orchestrator);
    for (let n = 0; n < TRACES.length; n++) await query(first, n);
    const from = performance.now();
    const until = from + (quick ? 1000 : 10_000);
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      const times: number[] = [];
      using benchClient = new BenchClient(system.orchestrator);
      for (let n = client; performance.now() < until; n++)
        times.push(await timed(() => query(benchClient, n)));
      return times;
    });
    const times = (await Promise.all(clients)).flat();
    const perSecond = times.length / ((performance.now() - from) / 1000);
    return [
      {
        what: `queries a second on warm traces, ${CLIENTS} clients`,
        unit: '1/s',
        samples: [perSecond],
      },
      { what: 'their time, p50', unit: 'ms', samples: [quantile(times, 0.5)] },
      { what: 'their time, p99', unit: 'ms', samples: [quantile(times, 0.99)] },
    ];
  },
};
