import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LogFile } from './log-file.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bigtrace-log-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const line = (text: string): Buffer => Buffer.from(`${text}\n`);

it('appends, and starts a new file at the size limit', () => {
  const path = join(dir, 'a.log');
  const log = new LogFile(path, 20);
  for (const text of ['one two', 'three four', 'five', 'six']) log.write(line(text));
  log.close();
  for (const each of [path, `${path}.1`]) expect(statSync(each).mode & 0o777).toBe(0o600);
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('one two\nthree four\n');
  expect(readFileSync(path, 'utf8')).toBe('five\nsix\n');
  const again = new LogFile(path, 20);
  again.write(line('seven'));
  again.close();
  expect(readFileSync(path, 'utf8')).toBe('five\nsix\nseven\n');
});

it('drops and counts lines while the file cannot be opened', () => {
  const path = join(dir, 'worker-1.log');
  symlinkSync('worker-1.log', path); // a symlink loop: opening it fails
  const log = new LogFile(path);
  log.write(line('one'));
  log.write(line('two'));
  rmSync(path);
  log.write(line('three'));
  log.close();
  const [note = '', ...rest] = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(JSON.parse(note)).toMatchObject({
    service: 'worker-1',
    msg: expect.stringMatching(/^log lines dropped: 2 \(ELOOP/),
  });
  expect(rest).toEqual(['three']);
});

it('continues after its file was removed, or could not be moved', () => {
  const path = join(dir, 'a.log');
  const log = new LogFile(path, 10);
  log.write(line('one two'));
  rmSync(path);
  log.write(line('three'));
  expect(readFileSync(path, 'utf8')).toBe('three\n');
  rmSync(`${path}.1`, { force: true });
  mkdirSync(join(`${path}.1`, 'not-empty'), { recursive: true });
  log.write(line('dropped'));
  rmSync(`${path}.1`, { recursive: true });
  log.write(line('four'));
  log.close();
  expect(readdirSync(dir).sort()).toEqual(['a.log', 'a.log.1']);
  expect(readFileSync(`${path}.1`, 'utf8')).toContain('log lines dropped: 1 (');
  expect(readFileSync(path, 'utf8')).toBe('four\n');
});
