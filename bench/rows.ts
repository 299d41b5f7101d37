import { startSystem } from '../test/harness/system.ts';
import { bare } from './bare.ts';
import { type Bench, repeat, timed } from './bench.ts';
import { fromBigtrace, uncachedSql } from './queries.ts';
import { snapshotsWritten } from './snapshots-written.ts';
import { sliceTraces } from './traces.ts';

/** Repetitions of the bare engine that are not counted. */
const WARM_UP = 4;

const SQL = 'SELECT ts, dur, name, track_id, depth FROM slice';

/** Compares the rate at which ClickHouse receives all rows of loaded traces with that of the bare engine. */
export const rows: Bench = {
  name: 'rows',
  async run(quick) {
    const [count, pieces] = quick ? [2, 4] : [16, 4];
    using traces = sliceTraces(count, pieces);
    await using system = await startSystem({ traces: traces.dir });
    const query = (): Promise<number> =>
      timed(() => system.sql(fromBigtrace('*', `${SQL} WHERE ${uncachedSql('dur')}`)));
    await query();
    await snapshotsWritten(system, count);
    await query(); // lets V8 optimize the code
    /** Returns the milliseconds in which the bare engine, already optimized by V8, produces as many rows. */
    const produced = async (): Promise<number> => {
      const { queryMs } = await bare(SQL, traces.files.slice(0, 1), { repeats: WARM_UP + count });
      return queryMs.slice(WARM_UP).reduce((sum, ms) => sum + ms, 0);
    };
    // The bare engine runs before and after each query, because a machine's speed changes within seconds.
    let before = await produced();
    const samples = await repeat(quick ? 1 : 7, async () => {
      const measured = await query();
      const after = await produced();
      const around = (before + after) / 2;
      before = after;
      return around / measured;
    });
    const what = `${(count * pieces * 67_231).toLocaleString('en')} rows into ClickHouse: rate of the bare engine`;
    return [{ what, unit: 'x', target: { atLeast: 0.7 }, samples }];
  },
};
