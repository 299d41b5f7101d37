import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startResident } from '../test/harness/resident/resident.ts';
import { runInClickHouse, startSystem } from '../test/harness/system.ts';
import { type Bench, timed } from './bench.ts';
import { uncachedSql } from './queries.ts';

/** The most that a call may take, in starts of Node. */
const CALL_STARTS_MAX = 2.2;
const TRACE = '/local/linux/idle.pftrace';

/** Measures the fixed cost of a `bigtrace()` call with a trivial script, through both bridges. */
export const overhead: Bench = {
  name: 'overhead',
  table: 'calls',
  async run(quick) {
    await using system = await startSystem();
    const resident = await startResident(system.orchestrator);
    const callMs: number[] = [];
    const residentMs: number[] = [];
    const nodeMs: number[] = [];
    for (let n = 0; n < (quick ? 3 : 25); n++) {
      const [sql = '', again = ''] = [0, 1].map(
        () =>
          `SELECT * FROM bigtrace(traces=['${TRACE}'], sql='SELECT 1 AS one WHERE ${uncachedSql('1')}')`,
      );
      callMs.push(await timed(() => system.sql(sql)));
      residentMs.push(await timed(() => runInClickHouse(resident, again)));
      nodeMs.push(
        await timed(() => promisify(execFile)(process.execPath, ['-e', '0'], { env: {} })),
      );
    }
    await resident.stop();
    callMs.shift(); // the first call loads the trace
    residentMs.shift();
    nodeMs.shift();
    const inStarts = (samples: number[]): number[] =>
      samples.map((ms, at) => ms / (nodeMs[at] ?? Number.NaN));
    return [
      {
        what: 'one bigtrace() call through the resident bridge, warm, trivial',
        unit: 'ms',
        samples: residentMs,
      },
      {
        what: 'one bigtrace() call through the resident bridge, as starts of Node (node -e 0)',
        unit: 'x',
        target: { atMost: CALL_STARTS_MAX },
        samples: inStarts(residentMs),
      },
      {
        what: 'one bigtrace() call, warm, trivial',
        unit: 'ms',
        target: { atMost: 250 },
        samples: callMs,
      },
      {
        what: 'the same, as starts of Node (node -e 0)',
        unit: 'x',
        target: { atMost: CALL_STARTS_MAX },
        samples: inStarts(callMs),
      },
    ];
  },
};
