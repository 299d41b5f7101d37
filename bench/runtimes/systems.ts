/** What the bench `runtimes` measures with whole systems. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type System, startSystem } from '../../test/harness/system.ts';
import { ADDONS } from '../../tools/test-run/native-engine.mjs';
import { timed } from '../bench.ts';
import { processMs } from '../process-time.ts';
import { BenchClient, uncachedSql } from '../queries.ts';
import { snapshotsWritten } from '../snapshots-written.ts';
import { chromeTraces, type TraceDir } from '../traces.ts';
import { child, type Runtime } from './pairs.ts';

/** Memory of each worker in the cold fleet: too little to keep all traces. */
const FLEET_MEMORY_BYTES = 2 ** 30;
const COUNT = 'SELECT count(*) AS n FROM slice';

function flagsOf(runtime: Runtime): string[] {
  return ['--engine-runtime', runtime, '--engine-addons', ADDONS];
}

/** Returns the processor time of a system's workers since their start, in milliseconds. */
function workersCpuMs({ processes }: System): number {
  const workers = processes.filter(({ name }) => name.startsWith('worker'));
  return workers.reduce((sum, { pid }) => sum + processMs(pid), 0);
}

/**
 * Returns the processor time of engines in V8 alone, one on each core, whose code V8 has optimized, in that of the workers
 * that a query takes on as many traces, none of which is loaded: the first of these workers, and the next ones, for which the
 * first are evicted.
 */
export async function coldFleet(quick: boolean): Promise<{ first: number; next: number }> {
  const sizes = quick ? [1, 1, 2, 2] : [1, 1, 2, 2, 5, 5, 10, 10, 20, 20, 20, 20];
  using traces = chromeTraces([...sizes, ...sizes]);
  const halves = [traces.files.slice(0, sizes.length), traces.files.slice(sizes.length)] as const;
  const cores = availableParallelism();
  const shares = Array.from({ length: cores }, (_, core) => ({
    files: halves[0].filter((_file, at) => at % cores === core),
  }));
  const alone = await Promise.all(shares.map((share) => child('bare', 'v8', share)));
  const aloneMs = alone.reduce((sum, { wholeMs }) => sum + wholeMs, 0);
  const flags = [...flagsOf('native'), '--memory-bytes', String(FLEET_MEMORY_BYTES)];
  await using system = await startSystem({ traces: traces.dir, flags });
  using client = new BenchClient(system.orchestrator);
  const part = async (files: string[]): Promise<number> => {
    const before = workersCpuMs(system);
    const addresses = files.map((file) => `/local/${basename(file)}`);
    await client.query(addresses, COUNT);
    const took = workersCpuMs(system) - before;
    console.error(`cold fleet: V8 alone ${aloneMs.toFixed(0)}, workers ${took.toFixed(0)}`);
    return aloneMs / took;
  };
  return { first: await part(halves[0]), next: await part(halves[1]) };
}

/** Returns the processor time of a worker from its start until it has sent its first result, in milliseconds. */
export async function freshWorker({ dir }: TraceDir, runtime: Runtime): Promise<number> {
  await using system = await startSystem({ traces: dir, workers: 1, flags: flagsOf(runtime) });
  using client = new BenchClient(system.orchestrator);
  await client.query(['/local/**'], COUNT);
  return workersCpuMs(system);
}

/**
 * Returns the speed of a query after a restart, from snapshots, in that of a cold query; both with compiled engines.
 * @param uncompressed whether the snapshots are uncompressed ones
 */
export async function afterRestart(
  { dir, files }: TraceDir,
  uncompressed: boolean,
): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-bench-data-'));
  const env = { BIGTRACE_UNCOMPRESSED_CACHE_BYTES: uncompressed ? '4GiB' : '0' };
  const options = { traces: dir, dataDir, flags: flagsOf('native'), env };
  const query = (client: BenchClient): Promise<number> =>
    timed(() => client.query(['/local/**'], `${COUNT} WHERE ${uncachedSql('dur')}`));
  try {
    await using first = await startSystem(options);
    using client = new BenchClient(first.orchestrator);
    const coldMs = await query(client);
    const counter = uncompressed ? 'uncompressed_snapshots_written' : 'snapshots_written';
    await snapshotsWritten(first, files.length, counter);
    await first.stop();
    await using second = await startSystem(options);
    using again = new BenchClient(second.orchestrator);
    const restoredMs = await query(again);
    const what = uncompressed ? 'uncompressed snapshots' : 'snapshots';
    console.error(`restart: cold ${coldMs.toFixed(0)}, from ${what} ${restoredMs.toFixed(0)}`);
    return coldMs / restoredMs;
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}
