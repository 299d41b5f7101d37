import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeEngineFiles } from './engine-files.ts';
import { settleTablesKey } from './tables-key.ts';

const TREE = join(import.meta.dirname, '..');

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-engine-files-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

it('does not rewrite unchanged configuration files, so that a full disk destroys none', () => {
  const dataDir = temporary();
  const { etc } = writeEngineFiles(TREE, dataDir, []);
  const files = (): Record<string, number> =>
    Object.fromEntries(
      readdirSync(etc, { recursive: true, encoding: 'utf8' }).map((name) => [
        name,
        statSync(join(etc, name)).ino,
      ]),
    );
  const before = files();
  expect(writeEngineFiles(TREE, dataDir, []).etc).toBe(etc);
  expect(files()).toEqual(before);
});

it('rewrites damaged files and removes unknown ones', () => {
  const dataDir = temporary();
  const { etc } = writeEngineFiles(TREE, dataDir, []);
  const names = readdirSync(etc, { recursive: true });
  const config = readFileSync(join(etc, 'config.xml'));
  writeFileSync(join(etc, 'config.xml'), '<');
  rmSync(join(etc, 'users.xml'));
  mkdirSync(join(etc, 'users.xml'));
  writeFileSync(join(etc, 'users.d/zz.xml'), '');
  mkdirSync(join(etc, 'conf.d/deep'), { recursive: true });
  rmSync(join(etc, 'config.d'), { recursive: true });
  writeFileSync(join(etc, 'config.d'), '');
  writeEngineFiles(TREE, dataDir, []);
  expect(readdirSync(etc, { recursive: true }).sort()).toEqual(names.sort());
  expect(readFileSync(join(etc, 'config.xml'))).toEqual(config);
});

it('keeps the encryption key, and refuses to start without it if there are tables', () => {
  const dataDir = temporary();
  const data = join(dataDir, 'clickhouse/data');
  const key = settleTablesKey(dataDir, data);
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(join(dataDir, 'tables.key')).mode & 0o777).toBe(0o600);
  mkdirSync(join(data, 'tables'), { recursive: true });
  expect(settleTablesKey(dataDir, data)).toBe(key);
  writeFileSync(join(dataDir, 'tables.key'), '');
  expect(() => settleTablesKey(dataDir, data)).toThrow('does not contain a key');
  rmSync(join(dataDir, 'tables.key'));
  expect(() => settleTablesKey(dataDir, data)).toThrow('cannot be read without it');
  // A server has tables of its own, with the same key.
  expect(() => settleTablesKey(dataDir, join(dirname(data), 'server-data'))).toThrow(
    `delete ${join(data, 'tables')}`,
  );
});
