/**
 * How a server runs on macOS: as it is, without Landlock and without a signal of the kernel at the death of its parent. A
 * server with capabilities gets no such signal on Linux either.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { type EngineOptions, spawnEngine } from '../engine/engine-process.ts';

/** A server that writes its arguments and its variables, and ends at SIGTERM. */
function optionsIn(directory: string): EngineOptions {
  const program = join(directory, 'clickhouse');
  writeFileSync(
    program,
    '#!/bin/sh\necho "$@ $ONE $BIGTRACE_NODE $PWD" >&2\ntrap "exit 3" TERM\nwhile :; do sleep 0.1; done\n',
  );
  chmodSync(program, 0o755);
  return {
    ...{ entry: undefined, program, isServer: true },
    ...{ arguments: ['server', '--'], env: { ONE: '1' } },
    ...{ queriesFile: '', directory, insecure: false, stopMsMax: 5_000, log: () => {} },
    confinement: { readable: [], executable: [], writable: [], ports: [] },
  };
}

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-unconfined-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('it gets its arguments, variables and directory, and ends when it is stopped', async () => {
  const directory = temporary();
  const engine = spawnEngine(optionsIn(directory));
  await expect
    .poll(() => engine.reasons(), { timeout: 10_000 })
    .toEqual([`server -- 1 ${process.execPath} ${directory}`]);
  await engine.stop();
  expect((await engine.exited).reason).toBe('exit code 3');
});

/** An entry that does not ask for the signal. */
const withEntry = (options: EngineOptions): EngineOptions => {
  const entry = join(options.directory, 'entry.mjs');
  writeFileSync(entry, 'setInterval(() => {}, 1000);');
  return { ...options, entry };
};

test.each([
  ['as it is', (options: EngineOptions) => options],
  ['by an entry', withEntry],
])('it ends when its parent is killed: %s', async (_, started) => {
  const directory = temporary();
  const options = started(optionsIn(directory));
  const outfile = join(directory, 'engine-process.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../engine/engine-process.ts')],
    ...{ outfile, bundle: true, platform: 'node', format: 'esm' },
  });
  const text = `import { spawnEngine } from ${JSON.stringify(outfile)};
    console.log(spawnEngine({ ...${JSON.stringify(options)}, log: () => {} }).pid);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(parent.stdout), 'line');
  const pid = Number(line);
  expect(isRunning(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
});
