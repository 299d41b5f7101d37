import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { columnType } from '../columns/column-type.ts';
import { columnsOf, type LabelledTrace, labelsOf } from './manifest.ts';

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-manifest-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
function file(ending: 'csv' | 'json', content: string | Buffer): string {
  const path = join(directory, `${files++}.${ending}`);
  writeFileSync(path, content);
  return path;
}

async function labels(path: string): Promise<LabelledTrace[]> {
  const all: LabelledTrace[] = [];
  for await (const batch of labelsOf(path, '/local/d/')) all.push(...batch);
  return all;
}

async function types(path: string): Promise<Record<string, string>> {
  return Object.fromEntries(
    (await columnsOf(path)).map(({ name, kinds }) => [name, columnType(kinds)]),
  );
}

test('serial numbers, digests and versions remain unchanged text', async () => {
  const path = file(
    'csv',
    'path,serial,sha,version,n,x\na,0042,1e5,1.10,7,2.5\nb,17,ab12,1.9,8,3\n',
  );
  expect(await types(path)).toEqual({
    serial: 'String',
    sha: 'String',
    version: 'String',
    n: 'Int64',
    x: 'Float64',
  });
  const [[, first] = []] = await labels(path);
  expect(Object.fromEntries(first ?? [])).toEqual({
    serial: '0042',
    sha: '1e5',
    version: '1.10',
    n: '7',
    x: '2.5',
  });
});

test('lines without values and byte order marks are ignored', async () => {
  const path = file('csv', '\uFEFFpath,team\n\n\uFEFFa,kernel\n,\n\n');
  expect(await labels(path)).toEqual([['/local/d/a', new Map([['team', 'kernel']])]]);
  const json = file('json', '\uFEFF[{"address": "/local/a", "n": 1}]');
  expect(await labels(json)).toEqual([['/local/a', new Map([['n', '1']])]]);
});

test('numbers of a JSON file keep all digits, and strings are not converted to numbers', async () => {
  const path = file(
    'json',
    '{"traces": [{"path": "a", "big": 9223372036854775807, "e": 1e5, "text": "7"}]}',
  );
  expect(await types(path)).toEqual({ big: 'Int64', e: 'Float64', text: 'String' });
  const [[, first] = []] = await labels(path);
  expect(first?.get('big')).toBe('9223372036854775807');
});

test('addresses may contain any byte', async () => {
  const path = file(
    'csv',
    Buffer.concat([Buffer.from('address\n/local/'), Buffer.from([0xe9, 10])]),
  );
  expect(await labels(path)).toEqual([
    [textFromBytes(Buffer.from([...Buffer.from('/local/'), 0xe9])), new Map()],
  ]);
});

test.each([
  ['csv', 'path,team\na,b,c\n', /manifest .*csv: Invalid Record Length/],
  ['csv', 'team\nx\n', /record 1: it has neither an address nor a path/],
  ['csv', 'path\n', /it has no records/],
  ['json', '[1]', /every record must be an object/],
  ['json', '[{"path": "a", "size": 1}]', /column size is one of bigtrace.traces already/],
  ['json', '[{"path": "a", "n": 1, "n": 2}]', /Duplicate key/],
] as const)('a %s file with %j is rejected with the reason', async (ending, content, message) => {
  const path = file(ending, content);
  await expect(columnsOf(path).then(() => labels(path))).rejects.toThrow(message);
});

test('a missing file is an error that names it', async () => {
  await expect(columnsOf(join(directory, 'none.csv'))).rejects.toThrow(/none\.csv: ENOENT/);
});
