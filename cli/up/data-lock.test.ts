import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acquireDataLock } from './data-lock.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bigtrace-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('refuses a second one and names the first', () => {
  const lock = acquireDataLock(dir);
  expect(() => acquireDataLock(dir)).toThrow(
    `--data-dir ${dir} is in use by another bigtrace up (pid ${process.pid})`,
  );
  lock.release();
  expect(acquireDataLock(dir).wasStale).toBe(false);
});

it('takes over from a process that is gone', async () => {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  writeFileSync(join(dir, 'up.lock'), JSON.stringify({ pid: child.pid, started: '1' }));
  expect(acquireDataLock(dir).wasStale).toBe(true);
  expect(readdirSync(dir)).toEqual(['up.lock']);
});

it('knows a pid that belongs to another process by now', () => {
  writeFileSync(join(dir, 'up.lock'), JSON.stringify({ pid: process.pid, started: '1' }));
  expect(acquireDataLock(dir).wasStale).toBe(true);
});

it('takes over a lock that was cut short', () => {
  writeFileSync(join(dir, 'up.lock'), '{"pid":');
  expect(acquireDataLock(dir).wasStale).toBe(true);
});
