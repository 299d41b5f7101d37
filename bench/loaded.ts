import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSystem } from '../test/harness/system.ts';
import { type Bench, median, repeat, timed } from './bench.ts';
import { imagesWritten } from './images.ts';
import { Asker, fromBigtrace, unasked } from './queries.ts';
import { chromeTraces } from './traces.ts';

const ASKS = 25;

function count(): string {
  return `SELECT count(*) AS n FROM slice WHERE ${unasked('dur')}`;
}

/** Compares query times when traces are parsed, loaded, restored from snapshots, or in the result cache. */
export const loaded: Bench = {
  name: 'loaded',
  async run(quick) {
    using traces = chromeTraces(Array.from({ length: quick ? 2 : 8 }, () => (quick ? 2 : 20)));
    const { dir, files } = traces;
    const warmSql: number[] = [];
    const warmGrpc: number[] = [];
    const images: number[] = [];
    const remembered: number[] = [];
    for (let n = 0; n < (quick ? 1 : 3); n++) {
      warmSql.push(await throughClickHouse(dir));
      const times = await throughGrpc(dir, files.length);
      warmGrpc.push(times.coldMs / times.warmMs);
      images.push(times.coldMs / times.imagesMs);
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
        what: `after a restart, from images, vs cold, ${of}`,
        unit: 'x',
        target: { atLeast: 4 },
        samples: images,
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
  const ask = (): Promise<number> => timed(() => system.sql(fromBigtrace('n', count())));
  const coldMs = await ask();
  return coldMs / median(await repeat(ASKS, ask));
}

interface Times {
  coldMs: number;
  warmMs: number;
  rememberedMs: number;
  imagesMs: number;
}

async function throughGrpc(traces: string, count_: number): Promise<Times> {
  const dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-bench-data-'));
  const ask = (asker: Asker, sql: string): Promise<number> =>
    timed(() => asker.ask(['/local/**'], sql));
  try {
    await using first = await startSystem({ traces, dataDir });
    using asker = new Asker(first.orchestrator);
    const coldMs = await ask(asker, count());
    await imagesWritten(first, count_);
    const warmMs = median(await repeat(ASKS, () => ask(asker, count())));
    const same = count();
    await ask(asker, same);
    const rememberedMs = median(await repeat(ASKS, () => ask(asker, same)));
    await first.stop();
    await using second = await startSystem({ traces, dataDir });
    using again = new Asker(second.orchestrator);
    return { coldMs, warmMs, rememberedMs, imagesMs: await ask(again, count()) };
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}
