import { startSystem } from '../../test/harness/system.ts';
import { type Bench, repeat } from '../bench.ts';
import { BenchClient, uncachedSql } from '../queries.ts';

const TRACE = '/local/chrome/fetch-a.pftrace';
const CLIENTS = 8;

/** At least 0.2 s of engine work. */
const SQL = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
  SELECT count(*) + (SELECT count(*) FROM slice) AS n FROM n`;

/** Compares the queries a second of 8 clients on one loaded trace with those of one client. */
export const hotTrace: Bench = {
  name: 'hot-trace',
  table: 'calls',
  async run(quick) {
    await using system = await startSystem();
    const ms = quick ? 3000 : 10_000;
    const rate = async (clients: number): Promise<number> => {
      const until = performance.now() + ms;
      const from = performance.now();
      const counts = Array.from({ length: clients }, async () => {
        using client = new BenchClient(system.orchestrator);
        let count = 0;
        for (; performance.now() < until; count++)
          await client.query([TRACE], `${SQL} WHERE ${uncachedSql('i')}`);
        return count;
      });
      const count = (await Promise.all(counts)).reduce((sum, own) => sum + own, 0);
      return (count * 1000) / (performance.now() - from);
    };
    await rate(CLIENTS); // loads the trace where it will be needed
    const alone: number[] = [];
    const ratios = await repeat(quick ? 1 : 3, async () => {
      const one = await rate(1);
      alone.push(1000 / one);
      return (await rate(CLIENTS)) / one;
    });
    return [
      { what: 'a query on one warm trace through gRPC, one client', unit: 'ms', samples: alone },
      {
        what: `queries a second on it of ${CLIENTS} clients, of those of one`,
        unit: 'x',
        target: { atLeast: 1.8 },
        samples: ratios,
      },
    ];
  },
};
