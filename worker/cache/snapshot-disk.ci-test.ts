/**
 * Tests snapshots on a full disk and on a read-only disk. Where mounting is permitted, both are real file
 * systems; elsewhere the process's file size is limited, and the directory is one that nobody can write.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { startWorker } from '../start.ts';
import { TestClient, tempDir, testConfig } from '../testing/worker.ts';

/** Traces that take long enough to parse to get a snapshot. */
const TRACES = [
  '/local/recorded/chrome/canvas-a.pftrace',
  '/local/recorded/chrome/longtask-a.pftrace',
  '/local/recorded/linux/syscalls-compile.pftrace',
];
const SQL = 'SELECT count(*), max(ts), sum(dur) FROM slice';

afterEach(() => {
  vi.restoreAllMocks();
});

interface SmallDisk {
  path: string;
  /** Fills the disk so that no snapshot fits. */
  fill(): void;
  /** Undoes `fill`. */
  free(): void;
  /** Matches the error of a failed write. */
  fails: RegExp;
  /** Makes the file system read-only. */
  readOnly(): void;
}

async function smallDisk(): Promise<SmallDisk> {
  const dir = await tempDir();
  const path = join(dir.path, 'disk');
  await mkdir(path);
  onTestFinished(() => dir[Symbol.asyncDispose]());
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return limitedDirectory(path);
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', path]));
  const filler = join(path, 'filler');
  return {
    path,
    fails: /ENOSPC/,
    fill: () => {
      fillUp(filler);
      truncateSync(filler, 63 * 2 ** 20); // the first piece of a snapshot fits, the rest does not
    },
    free: () => rmSync(filler),
    readOnly: () => void execFileSync('mount', ['-o', 'remount,ro', path]),
  };
}

function fillUp(file: string): void {
  const piece = Buffer.alloc(2 ** 20, 1);
  const fd = openSync(file, 'w');
  try {
    for (;;) writeSync(fd, piece);
  } catch (error) {
    expect(String(error)).toContain('ENOSPC');
  } finally {
    closeSync(fd);
  }
}

/** Without the right to mount: limits the size of files that this process writes. */
function limitedDirectory(path: string): SmallDisk {
  const ignore = (): void => undefined;
  process.on('SIGXFSZ', ignore); // otherwise the signal would end the process
  const limit = (bytes: string): void =>
    void execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
  onTestFinished(() => {
    limit('unlimited');
    process.off('SIGXFSZ', ignore);
  });
  return {
    path,
    fails: /EFBIG/,
    fill: () => limit(String(2 ** 16)),
    free: () => limit('unlimited'),
    readOnly: () => {
      throw new Error('EROFS needs a mount');
    },
  };
}

/** Starts a worker without a result cache, and collects its log lines. */
async function workerWith(cacheDir: string | undefined) {
  const logged: string[] = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      logged.push(String(line));
      done();
    },
  });
  const config = await testConfig({ cacheDir, resultMemoryBytesMax: 0, threads: 1 });
  const worker = await startWorker(config, pino({ level: 'warn' }, stream));
  const client = new TestClient(worker.address);
  const stop = async (): Promise<void> => {
    client.close();
    await worker.stop();
  };
  return { client, logged, stop, [Symbol.asyncDispose]: stop };
}

/** Names of snapshot files, complete and unfinished. */
const snapshotsIn = (path: string) => readdirSync(path).filter((name) => name.includes('.image'));

type Worker = Awaited<ReturnType<typeof workerWith>>;

const resultsOf = (worker: Worker) =>
  Promise.all(TRACES.map((trace) => worker.client.rows(trace, SQL)));

/** Waits until the counter has reached `atLeast`. */
async function counted(worker: Worker, name: string, atLeast: number): Promise<void> {
  const count = async () => (await worker.client.status()).counters[name];
  await expect.poll(count, { timeout: 60_000 }).toBeGreaterThanOrEqual(atLeast);
}

/** Moves the clock beyond the delay after a failed write. */
function anotherMinute(): void {
  const real = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => real() + 60_001);
}

async function truth() {
  await using worker = await workerWith(undefined);
  return await resultsOf(worker);
}

test('a full disk costs time, is logged once, and is used again when it has space', async () => {
  const expected = await truth();
  const disk = await smallDisk();
  disk.fill();
  {
    await using worker = await workerWith(disk.path);
    expect(await resultsOf(worker)).toEqual(expected);
    await counted(worker, 'snapshots_failed', 1);
    expect(await resultsOf(worker)).toEqual(expected);
    anotherMinute();
    expect(await resultsOf(worker)).toEqual(expected);
    await counted(worker, 'snapshots_failed', 2);
    expect(worker.logged).toHaveLength(1);
    expect(worker.logged[0]).toMatch(disk.fails);
    // No unfinished file is left to take the little space that there is.
    await expect.poll(() => snapshotsIn(disk.path)).toEqual([]); // it is removed after the error was logged
    expect((await worker.client.status()).counters).toMatchObject({ snapshots_written: 0 });
    disk.free();
    vi.restoreAllMocks();
    const real = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => real() + 120_002);
    expect(await resultsOf(worker)).toEqual(expected);
    await counted(worker, 'snapshots_written', TRACES.length);
  }
  vi.restoreAllMocks();
  await using next = await workerWith(disk.path);
  expect(await resultsOf(next)).toEqual(expected);
  const { counters } = await next.client.status();
  expect(counters).toMatchObject({
    tier_snapshot: TRACES.length,
    tier_parse: 0,
    snapshots_failed: 0,
  });
});

test('snapshots on a read-only disk are used, and damaged ones are rejected', async () => {
  const expected = await truth();
  const disk = await smallDisk();
  if (!disk.fails.test('ENOSPC')) return nobodyCanWrite(expected);
  {
    await using worker = await workerWith(disk.path);
    await resultsOf(worker);
    await counted(worker, 'snapshots_written', TRACES.length);
  }
  const [damaged = '', cut = ''] = snapshotsIn(disk.path);
  const file = join(disk.path, damaged);
  const fd = openSync(file, 'r+');
  writeSync(fd, Buffer.from('not what was written'), 0, 20, 2 ** 20);
  closeSync(fd);
  // A worker that is killed while it writes leaves such a file.
  await copyFile(join(disk.path, cut), join(disk.path, `${cut}.1.unfinished`));
  truncateSync(join(disk.path, cut), 2 ** 19);
  disk.readOnly();
  await using worker = await workerWith(disk.path);
  expect(await resultsOf(worker)).toEqual(expected);
  await counted(worker, 'snapshots_failed', 3); // the unfinished file, and two snapshots that cannot be removed
  const { counters } = await worker.client.status();
  expect(counters).toMatchObject({ tier_snapshot: 1, tier_parse: 2, snapshots_unusable: 2 });
  expect(await resultsOf(worker)).toEqual(expected);
  const complaints = worker.logged.filter((line) => line.includes('cannot be kept on disk'));
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toContain('EROFS');
});

/** Without a mount: uses a directory of the kernel that nobody can write. */
async function nobodyCanWrite(expected: unknown): Promise<void> {
  await using worker = await workerWith('/proc/sys/kernel');
  expect(await resultsOf(worker)).toEqual(expected);
  await counted(worker, 'snapshots_failed', 1);
  expect(await resultsOf(worker)).toEqual(expected);
  expect(worker.logged).toHaveLength(1);
}
