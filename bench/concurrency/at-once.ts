import { availableParallelism } from 'node:os';
import { descendants, startSystem } from '../../test/harness/system.ts';
import { type Bench, quantile, repeat, timed } from '../bench.ts';
import { processMs } from '../process-time.ts';
import { uncachedSql } from '../queries.ts';

const TRACE = '/local/linux/idle.pftrace';

/** Calls that start at the same moment: half of what ClickHouse accepts of one user. */
const AT_ONCE = 50;

/** Calls in sequence that make the same code hot in every service, and over which the cost of one is measured. */
const SEQUENTIAL = 40;

/** Measures what 50 `bigtrace()` calls at once take, compared with what their processor time alone would take. */
export const atOnce: Bench = {
  name: 'at-once',
  table: 'calls',
  async run(quick) {
    await using system = await startSystem();
    const call = (): Promise<string> =>
      system.sql(
        `SELECT * FROM bigtrace(traces=['${TRACE}'], sql='SELECT 1 AS one WHERE ${uncachedSql('1')}')`,
      );
    const count = quick ? 10 : SEQUENTIAL;
    for (let n = 0; n < count; n++) await call();
    const from = processorMs(system.pid);
    for (let n = 0; n < count; n++) await call();
    const oneMs = (processorMs(system.pid) - from) / count;
    const idealMs = (AT_ONCE * oneMs) / availableParallelism();
    let failed = 0;
    const lastMs = await repeat(quick ? 1 : 5, async () => {
      const times = await Promise.all(
        Array.from({ length: AT_ONCE }, () =>
          timed(() =>
            call().catch((error: unknown) => {
              failed++;
              console.error(`at-once: ${error}`);
            }),
          ),
        ),
      );
      return quantile(times, 0.99);
    });
    return [
      {
        what: 'one bigtrace() call: processor time of all services',
        unit: 'ms',
        samples: [oneMs],
      },
      {
        what: `${AT_ONCE} bigtrace() calls at once: failed`,
        unit: 'x',
        target: { atMost: 0 },
        samples: [failed],
      },
      {
        what: 'their p99, of their processor time on all cores',
        unit: 'x',
        target: { atMost: 1.5 },
        samples: lastMs.map((ms) => ms / idealMs),
      },
    ];
  },
};

/** Returns the processor time so far of a process, of its descendants, and of those that have ended. */
function processorMs(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, each) => sum + processMs(each), 0);
}
