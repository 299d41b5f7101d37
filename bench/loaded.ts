import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSystem } from '../test/harness/system.ts';
import { type Bench, median, repeat, timed } from './bench.ts';
import { BenchClient, fromBigtrace, uncachedSql } from './queries.ts';
import { snapshotsWritten } from './snapshots-written.ts';
import { chromeTraces } from './traces.ts';

const QUERIES = 25;

function count(): string {
  return `SELECT count(*) AS n FROM slice WHERE ${uncachedSql('dur')}`;
}

/** Compares query times when traces are parsed, loaded, restored from snapshots, or in the result cache. */
export const loaded: Bench = {
  name: 'loaded',
  async run(quick) {
    using traces = chromeTraces(Array.from({ length: quick ? 2 : 8 }, () => (quick ? 2 : 20)));
    const { dir, files } = traces;
    const warmSql: number[] = [];
    const warmGrpc: number[] = [];
    const snapshots: number[] = [];
    const remembered: number[] = [];
    for (let n = 0; n < (quick ? 1 : 3); n++) {
      warmSql.push(await throughClickHouse(dir));
      const times = await throughGrpc(dir, files.length);
      warmGrpc.push(times.coldMs / times.warmMs);
      snapshots.push(times.coldMs / times.snapshotsMs);
      remembered.push(times.warmMs / times.rememberedMs);
    }
    const of = quick ? '2 x 2 MB' : '8 x 20 MB';
    return [
      {
        what: `warm vs cold through ClickHouse, ${of}`,
        unit: 'x',
        target: { atLeast: 20 },
        samples: warmSql,
      },
      {
        what: `warm vs cold through gRPC, ${of}`,
        unit: 'x',
        target: { atLeast: 50 },
        samples: warmGrpc,
      },
      {
        what: `after a restart, from snapshots, vs cold, ${of}`,
        unit: 'x',
        target: { atLeast: 4 },
        samples: snapshots,
      },
      {
        what: `remembered vs warm through gRPC, ${of}`,
        unit: 'x',
        target: { atLeast: 3 },
        samples: remembered,
      },
    ];
  },
};

async function throughClickHouse(traces: string): Promise<number> {
  await using system = await startSystem({ traces });
  const query = (): Promise<number> => timed(() => system.sql(fromBigtrace('n', count())));
  const coldMs = await query();
  return coldMs / median(await repeat(QUERIES, query));
}

interface Times {
  coldMs: number;
  warmMs: number;
  rememberedMs: number;
  snapshotsMs: number;
}

async function throughGrpc(traces: string, count_: number): Promise<Times> {
  const dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-bench-data-'));
  const query = (benchClient: BenchClient, sql: string): Promise<number> =>
    timed(() => benchClient.query(['/local/**'], sql));
  try {
    await using first = await startSystem({ traces, dataDir });
    using benchClient = new BenchClient(first.orchestrator);
    const coldMs = await query(benchClient, count());
    await snapshotsWritten(first, count_);
    const warmMs = median(await repeat(QUERIES, () => query(benchClient, count())));
    const same = count();
    await query(benchClient, same);
    const rememberedMs = median(await repeat(QUERIES, () => query(benchClient, same)));
    await first.stop();
    await using second = await startSystem({ traces, dataDir });
    using again = new BenchClient(second.orchestrator);
    return { coldMs, warmMs, rememberedMs, snapshotsMs: await query(again, count()) };
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}
