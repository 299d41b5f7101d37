import { startSystem } from '../e2e/harness.ts';
import { fromBigtrace, unasked } from './asking.ts';
import { bare } from './bare.ts';
import { type Bench, median, repeat, timed } from './bench.ts';
import { imagesWritten } from './images.ts';
import { sliceTraces } from './traces.ts';

const SQL = 'SELECT ts, dur, name, track_id, depth FROM slice';

/** All rows of loaded traces: the bare engine handing them out one trace after another, and ClickHouse. */
export const rows: Bench = {
  name: 'rows',
  async run(quick) {
    const [count, pieces] = quick ? [2, 4] : [16, 4];
    using traces = sliceTraces(count, pieces);
    await using system = await startSystem({ traces: traces.dir });
    const ask = (): Promise<number> =>
      timed(() => system.sql(fromBigtrace('*', `${SQL} WHERE ${unasked('dur')}`)));
    await ask();
    await imagesWritten(system, count);
    await ask(); // V8 has optimized what it will
    const samples = await repeat(quick ? 1 : 5, async () => {
      const { queryMs } = await bare(SQL, traces.files.slice(0, 1), 5);
      return (median(queryMs) * count) / (await ask());
    });
    const what = `${(count * pieces * 67_231).toLocaleString('en')} rows into ClickHouse: rate of the bare engine`;
    return [{ what, unit: 'x', target: { atLeast: 0.7 }, samples }];
  },
};
