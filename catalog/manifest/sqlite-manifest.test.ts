import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sqlite from 'node-sqlite3-wasm';
import { afterAll, expect, test } from 'vitest';
import { columnType } from '../columns/column-type.ts';
import { columnsOf, labelsOf, partsOf } from './manifest.ts';

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-sqlite-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;

/** Writes a SQLite file. @param sql in which DIR is the file's directory */
function file(sql: string): string {
  const own = join(directory, String(files++));
  mkdirSync(own);
  const path = join(own, 'metadata.db');
  const database = new sqlite.Database(path);
  database.exec(sql.replaceAll('DIR', own));
  database.close();
  return path;
}

async function labels(path: string): Promise<[string, Record<string, string>][]> {
  const all: [string, Record<string, string>][] = [];
  for await (const batch of labelsOf(path, '/local/d/'))
    for (const [address, of] of batch) all.push([address, Object.fromEntries(of)]);
  return all;
}

test('the rows of the table traces are records, with each value as it is', async () => {
  const path = file(`CREATE TABLE traces (file_path TEXT, absolute_local_file_path TEXT,
      big INTEGER, "re""al" REAL, text TEXT, bytes BLOB, file_size INTEGER, is_treatment INTEGER);
    INSERT INTO traces VALUES ('a.pftrace', '/elsewhere/a', 9223372036854775807, 1.0, '007', x'41', 5, 1),
      (NULL, 'DIR/sub/b.pftrace', -3, 2.5, NULL, NULL, NULL, 0)`);
  expect(await labels(path)).toEqual([
    [
      '/local/d/a.pftrace',
      {
        ...{ big: '9223372036854775807', 're"al': '1.0', text: '007', bytes: 'A' },
        ...{ file_path: 'a.pftrace', file_size: '5', is_treatment: '1' },
      },
    ],
    [
      '/local/d/sub/b.pftrace',
      { file_path: 'sub/b.pftrace', big: '-3', 're"al': '2.5', is_treatment: '0' },
    ],
  ]);
  const types = (await columnsOf(path)).map(({ name, kinds }) => [name, columnType(kinds)]);
  expect(Object.fromEntries(types)).toEqual({
    ...{ big: 'Int64', 're"al': 'Float64', text: 'String', bytes: 'String' },
    ...{ file_path: 'String', file_size: 'Int64', is_treatment: 'Int64' },
  });
  expect(partsOf(path)).toEqual([]);
});

test.each([
  ['CREATE TABLE others (a)', 'it has no table traces'],
  ["CREATE TABLE traces AS SELECT '/elsewhere/a' AS absolute_local_file_path", 'is not below '],
  ['CREATE TABLE traces AS SELECT 1 AS n', 'it has no address, path or file_path'],
  ['CREATE TABLE traces (file_path TEXT)', 'it has no records'],
])('a file with %s is refused', async (sql, problem) => {
  const path = file(sql);
  const refused = { code: 'invalid_option', message: expect.stringContaining(problem) };
  await expect(labels(path)).rejects.toMatchObject(refused);
  await expect(labels(path)).rejects.toThrow(`manifest ${path}`);
});

test('a file that is no SQLite file, or that is being changed, is refused', async () => {
  const path = file("CREATE TABLE traces AS SELECT 'a' AS file_path");
  writeFileSync(`${path}-wal`, 'x');
  await expect(labels(path)).rejects.toThrow('wal_checkpoint');
  writeFileSync(`${path}-wal`, '');
  writeFileSync(`${path}-journal`, 'x');
  await expect(labels(path)).rejects.toThrow('a change of it has not ended');
  writeFileSync(`${path}-journal`, '');
  expect(await labels(path)).toEqual([['/local/d/a', { file_path: 'a' }]]);
  writeFileSync(path, 'not a database, but a text of some length'.repeat(30));
  await expect(labels(path)).rejects.toThrow('file is not a database');
});
