import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acquireDataLock } from './data-lock.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bigtrace-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('rejects a second lock and names the owner of the first', () => {
  const lock = acquireDataLock(dir);
  expect(() => acquireDataLock(dir)).toThrow(
    `--data-dir ${dir} is in use by another bigtrace up (pid ${process.pid})`,
  );
  lock.release();
  lock.release();
  const next = acquireDataLock(dir);
  expect(next.wasStale).toBe(false);
  next.release();
});

it.each(['1', String(process.pid), '{"pid":1,"started":"1"}', '\0\0'])(
  'a file left behind with %o locks nobody out',
  (text) => {
    writeFileSync(join(dir, 'up.lock'), text);
    const lock = acquireDataLock(dir);
    expect(lock.wasStale).toBe(true);
    lock.release();
    expect(readdirSync(dir)).toEqual(['up.lock']);
  },
);

it('can be acquired after its owner was killed', async () => {
  const path = join(dir, 'up.lock');
  const holds = 'printf %s $$ >"$0"; echo held; exec cat';
  const child = spawn('flock', ['--no-fork', '-n', path, 'sh', '-c', holds, path]);
  await once(child.stdout, 'data');
  expect(() => acquireDataLock(dir)).toThrow(`another bigtrace up (pid ${child.pid})`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = acquireDataLock(dir);
  expect(lock.wasStale).toBe(true);
  lock.release();
});

it('names a file that cannot be locked', () => {
  mkdirSync(join(dir, 'up.lock'));
  expect(() => acquireDataLock(dir)).toThrow(`EISDIR: illegal operation on a directory, open`);
});
