import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settlePasswords, settleServicePassword } from './passwords.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-passwords-'));
});

afterEach(() => rmSync(dataDir, { recursive: true }));

test.each(['', '\n', ' \n'])('an empty password file (%j) is rejected with its path', (content) => {
  for (const user of ['admin', 'analyst', 'service']) {
    const path = join(dataDir, `${user}.password`);
    writeFileSync(path, content);
    expect(() => settlePasswords(dataDir, {})).toThrow(
      `the password file ${path} is empty; delete it, and the next start generates a new password`,
    );
    rmSync(path);
  }
  expect(() => settlePasswords(dataDir, {})).not.toThrow();
});

test('a password file is written atomically, readable only by its owner, and reused', () => {
  const path = join(dataDir, 'service.password');
  writeFileSync(path, '', { mode: 0o644 });
  expect(settleServicePassword(dataDir, 'given')).toBe('given');
  expect(readFileSync(path, 'utf8')).toBe('given\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(settleServicePassword(dataDir, undefined)).toBe('given');
  expect(readdirSync(dataDir)).toEqual(['service.password']);
  expect(existsSync(join(dataDir, 'admin.password'))).toBe(false);
});
