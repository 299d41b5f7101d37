/** Tests of services whose output is not read, whose disk is full, or that have few file descriptors. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { descendants, gone, startSystem } from '../../harness/system.ts';
import { statusOf } from '../../harness/workers.ts';

const BIN = join(ROOT, 'cli/bigtrace.mjs');
const SAMPLES = join(ROOT, 'samples/traces');
const count = (nonce: number): string =>
  `SELECT count() FROM bigtrace(traces=['/local/linux/g*'], sql='SELECT ts, ${nonce} FROM sched')`;
const ROWS = '2547\n';

/**
 * Starts a bigtrace command.
 * @param descriptors limit of open files; 0 keeps the current limit
 */
function bigtrace(
  args: string[],
  descriptors = 0,
): ChildProcess & { stdout: Readable; stderr: Readable } {
  const limit = descriptors === 0 ? '' : `ulimit -n ${descriptors};`;
  const script = `${limit} exec "$0" "$@"`;
  const child = spawn('sh', ['-c', script, process.execPath, BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function service(args: string[], descriptors?: number) {
  const child = bigtrace([...args, '-s', '127.0.0.1:0', '--json'], descriptors);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, address: (JSON.parse(line) as { address: string }).address };
}

async function outcome(child: ReturnType<typeof bigtrace>) {
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

it('bigtrace up keeps working after the readers of its output are closed', async () => {
  await using system = await startSystem();
  system.loseOutput();
  const before = descendants(system.pid);
  const worker = system.processes.find(({ name }) => name === 'worker-1')?.pid ?? 0;
  process.kill(worker, 'SIGKILL'); // bigtrace up reports it on stderr
  await expect
    .poll(() => descendants(system.pid).some((pid) => !before.includes(pid)), { timeout: 30_000 })
    .toBe(true);
  await expect
    .poll(() => statusOf(system.workers[0] ?? '').catch(() => undefined), { timeout: 30_000 })
    .toBeDefined();
  expect(await system.sql(count(1))).toBe(ROWS);
});

it('a worker and an orchestrator keep working after the readers of their output are closed', async () => {
  const worker = await service(['worker', '--traces', SAMPLES, '--log-level', 'debug']);
  const workers = `${worker.address},127.0.0.1:9`; // an unreachable worker makes the orchestrator log
  const orchestrator = await service(['orchestrator', '-l', workers, '--log-level', 'debug']);
  for (const { child } of [worker, orchestrator])
    for (const output of [child.stdout, child.stderr]) output.destroy();
  const args = ['--orchestrator', orchestrator.address, '--traces', '/local/linux/g*'];
  for (const [sql, code] of [
    ['SELECT count(*) FROM sched', 0],
    ['SELECT nonsense', 1],
  ] as const)
    expect(await outcome(bigtrace(['query', ...args, '--sql', sql]))).toMatchObject({ code });
  for (const { child } of [orchestrator, worker]) {
    const exit = once(child, 'exit');
    child.kill('SIGTERM'); // draining is logged, too
    expect(await exit).toEqual([0, null]);
  }
});

it('bigtrace up refuses to start with too few file descriptors and reports the limit', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-e2e-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const { code, stderr } = await outcome(bigtrace(['up', '--data-dir', dataDir], 256));
  expect(stderr).toMatch(
    /^bigtrace: this process may open 256 files, but bigtrace up needs 1024; /,
  );
  expect(code).toBe(2);
});

it.each([32, 40, 48, 64])(
  'with %i file descriptors a worker works or exits with a reason',
  async (descriptors) => {
    const orchestrator = await service(
      ['orchestrator', '-l', '127.0.0.1:9', '--worker-wait', '1s'],
      64,
    );
    orchestrator.child.stderr.resume();
    const child = bigtrace(
      ['worker', '--traces', SAMPLES, '-s', '127.0.0.1:0', '--json'],
      descriptors,
    );
    const ended = outcome(child);
    const line = once(createInterface(child.stdout), 'line') as Promise<[string]>;
    const started = await Promise.race([line.then(([text]) => JSON.parse(text)), ended]);
    if ('code' in started) {
      expect(started.code).not.toBe(0);
      expect(started.stderr).toContain('EMFILE');
      return;
    }
    const front = await service(['orchestrator', '-l', started.address]);
    front.child.stderr.resume();
    const args = ['--orchestrator', front.address, '--traces', '/local/linux/*'];
    const running = Array.from({ length: 4 }, (_, at) =>
      outcome(bigtrace(['query', ...args, '--sql', `SELECT count(*) AS n, ${at} FROM sched`])),
    );
    for (const { code, stderr } of await Promise.all(running))
      if (code !== 0) expect(stderr).toMatch(/^bigtrace: .+\n/);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  },
);

/** Mounts a tmpfs of 300 MiB, which a test can fill. */
function smallDisk(): string {
  const path = mkdtempSync(join(tmpdir(), 'bigtrace-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', path]);
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', path]);
    rmSync(path, { recursive: true });
  });
  return path;
}

/** Writes a file until the file system is full to the last byte. */
function fill(path: string): void {
  const fd = openSync(path, 'w');
  for (let piece = Buffer.alloc(2 ** 20, 1); piece.length > 0; )
    try {
      writeSync(fd, piece);
    } catch {
      piece = piece.subarray(0, piece.length >> 1);
    }
  closeSync(fd);
}

/** Returns the number of dropped lines (ENOSPC) that a log file reports. */
function droppedLines(log: string): number {
  const notes = readFileSync(log, 'utf8').matchAll(
    /^\{[^\n]*"msg":"log lines dropped: (\d+) \(ENOSPC[^\n]*\}$/gm,
  );
  return [...notes].reduce((sum, [, lines]) => sum + Number(lines), 0);
}

const isRoot = process.getuid?.() === 0;

it.runIf(isRoot)(
  'all services work while the disk is full, and writes succeed again once space is free',
  async () => {
    const disk = smallDisk();
    const dataDir = join(disk, 'data');
    mkdirSync(dataDir);
    await using system = await startSystem({ dataDir, workers: 2 });
    await system.sql('CREATE TABLE kept (n Int64) ENGINE = MergeTree ORDER BY n', {
      user: 'admin',
    });
    const insert = 'INSERT INTO kept SELECT 1';
    await system.sql(insert, { user: 'admin' });
    const filler = join(disk, 'filler');
    fill(filler);
    for (const nonce of [2, 3]) {
      expect(await system.sql(count(nonce))).toBe(ROWS);
      await expect(system.sql(insert, { user: 'admin' })).rejects.toThrow('not enough space');
      expect(await system.sql('SELECT sum(n) FROM kept', { user: 'admin' })).toBe('1\n');
      expect((await fetch(`${system.http}/healthz`)).status).toBeLessThan(500);
      // Cause log output on the full disk: warnings of services, and a process that dies.
      const worker = descendants(system.pid)[0] ?? 0;
      process.kill(worker, 'SIGKILL');
      await system.logged(/was restarted/);
    }
    // ClickHouse's messages about the failed inserts were dropped; its log reports their number with the next line.
    const log = join(dataDir, 'logs', 'clickhouse.log');
    expect(droppedLines(log)).toBe(0);
    rmSync(filler);
    await expect(system.sql('SELECT no_such_column')).rejects.toThrow('no_such_column');
    await expect.poll(() => droppedLines(log), { timeout: 30_000 }).toBeGreaterThan(0);
    expect(await system.sql(count(4))).toBe(ROWS);
    await system.sql(insert, { user: 'admin' });
    expect(await system.sql('SELECT sum(n) FROM kept', { user: 'admin' })).toBe('2\n');
    expect(system.stderr()).not.toContain('everything stops');
  },
);

it.runIf(isRoot)(
  'bigtrace up exits with a reason and leaves no process behind if the disk is full at its start',
  async () => {
    const disk = smallDisk();
    const filler = join(disk, 'filler');
    mkdirSync(join(disk, 'data'));
    fill(filler);
    const ports = ['clickhouse-http', 'clickhouse-tcp', 'orchestrator', 'http', 'worker'];
    const child = bigtrace([
      'up',
      '--data-dir',
      join(disk, 'data'),
      ...ports.flatMap((name) => [`--${name}-port`, '0']),
    ]);
    const family: number[] = [];
    const watch = setInterval(() => family.push(...descendants(child.pid ?? 0)), 50);
    const { code, stderr } = await outcome(child);
    clearInterval(watch);
    expect(stderr).toMatch(/ENOSPC|No space left|not enough space/i);
    expect(code).toBe(1);
    await gone([...new Set(family)]);
    rmSync(filler);
    await using system = await startSystem({ dataDir: join(disk, 'data') });
    expect(await system.sql(count(5))).toBe(ROWS);
  },
);
