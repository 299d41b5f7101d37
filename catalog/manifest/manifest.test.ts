import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { columnType } from '../columns/column-type.ts';
import { columnsOf, type LabelledTrace, labelsOf, partsOf } from './manifest.ts';

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

test.each([
  ['CRLF', 'path,team\r\na,x\r\nb,y\r\n'],
  ['CR', 'path,team\ra,x\rb,y\r'],
  ['mixed line ends', 'path,team\r\na,x\nb,y\r\n'],
  ['no line end at the end', 'path,team\na,x\nb,y'],
  ['quotes', '"path","team"\r\n"a","x"\r\n"b","y"'],
  ['a byte order mark before a quote', '\uFEFF"path","team"\n"a","x"\n"b","y"\n'],
  ['a byte order mark in the middle', 'path,team\r\na,x\r\n\uFEFF"b","y"\r\n'],
  ['empty lines', '\n\npath,team\n\n \na,x\n,\n"",""\n,,,\nb,y\n \n\n'],
])('a CSV file with %s has the same records', async (_, content) => {
  expect(await labels(file('csv', content))).toEqual([
    ['/local/d/a', new Map([['team', 'x']])],
    ['/local/d/b', new Map([['team', 'y']])],
  ]);
});

test('a byte order mark is found wherever a chunk of the file ends', async () => {
  const line = 'a,xxxxxxxxx\n'; // 12 bytes; chunks have 65,536
  for (let pad = 0; pad < 12; pad++) {
    const head = `path,team\nb,${'y'.repeat(pad)}\n`;
    const lines = Math.ceil((65_536 - head.length) / line.length);
    const path = file('csv', `${head}${line.repeat(lines)}\uFEFF"c","z"\n`);
    expect((await labels(path)).at(-1)).toEqual(['/local/d/c', new Map([['team', 'z']])]);
  }
});

test('quoted fields keep line ends, quotes, commas, spaces, and any length', async () => {
  const long = 'x'.repeat(1_000_000);
  const path = file('csv', `path,a,b\r\nt,"1\r\n2\n3","say ""hi"", "\r\nu, 7 ,${long}\r\n`);
  expect(await labels(path)).toEqual([
    [
      '/local/d/t',
      new Map([
        ['a', '1\r\n2\n3'],
        ['b', 'say "hi", '],
      ]),
    ],
    [
      '/local/d/u',
      new Map([
        ['a', ' 7 '],
        ['b', long],
      ]),
    ],
  ]);
});

test('a record names its trace in any way that names one', async () => {
  const path = file('csv', 'path\n./a\n/a\nx//./a\n');
  const names = (await labels(path)).map(([address]) => address);
  expect(names).toEqual(['/local/d/a', '/local/d/a', '/local/d/x/a']);
  const full = file('json', '[{"address": "/http/HOST:80/%41"}, {"address": "/local/./a/b/"}]');
  expect((await labels(full)).map(([address]) => address)).toEqual(['/http/host/A', '/local/a/b']);
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

test('a manifest of Perfetto’s own BigTrace server is read with its experiments, columns and presets', async () => {
  const path = file(
    'json',
    JSON.stringify({
      traces: [
        { file_path: 'a', file_name: 'a', link: 'x', system_name: 'Linux', experiment_id: 7 },
        { file_path: 'b', experiment_id: 8, experiment_name: 'own' },
      ],
      experiments: [
        { experimentId: 7, experimentName: 'faster', controlId: 1 },
        { experiment_id: 8, experiment_name: 'slower' },
      ],
      schema: [{ name: 'file_name', defaultVisible: false, type: 'STRING' }],
      presets: [{ id: 'p', name: 'P', perfettoSql: 'SELECT 1', icon: 'timer' }],
    }),
  );
  expect(await labels(path)).toEqual([
    [
      '/local/d/a',
      new Map([
        ['experiment_name', 'faster'],
        ['control_id', '1'],
        ['file_path', 'a'],
        ['file_name', 'a'],
        ['experiment_id', '7'],
      ]),
    ],
    [
      '/local/d/b',
      new Map([
        ['experiment_name', 'own'],
        ['file_path', 'b'],
        ['experiment_id', '8'],
      ]),
    ],
  ]);
  expect(await types(path)).toEqual({
    ...{ file_path: 'String', file_name: 'String', experiment_name: 'String' },
    ...{ experiment_id: 'Int64', control_id: 'Int64' },
  });
  const parts = partsOf(path).map(({ json, ...part }) => ({ ...part, ...JSON.parse(json) }));
  expect(parts).toEqual([
    { part: 'column', name: 'file_name', visible: false, description: '' },
    {
      ...{ part: 'preset', id: 'p', name: 'P', category: '', description: '' },
      ...{ perfettoSql: 'SELECT 1', icon: 'timer' },
    },
  ]);
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
  ['csv', 'path,team\na\n', /Invalid Record Length: columns length is 2, got 1 on line 2/],
  ['csv', 'path,team,team\na,b,c\n', /it has two columns team/],
  ['csv', 'path,team,\na,b,\n', /a column of the manifest has no name/],
  ['csv', Buffer.from('\uFEFFpath,team\na,b\n', 'utf16le'), /it is UTF-16 text; save it as UTF-8/],
  ['csv', 'address\nlocal/a\n', /record 1: .*must start with \//],
  ['csv', 'path\nx/../a\n', /record 1: \/local\/d\/x\/\.\.\/a: name the trace by its path below/],
  ['json', '[{"address": "/local//a/b"}]', /record 1: \/local\/\/a\/b: name the trace by its path/],
  ['csv', 'path,team\na,"b\n', /Quote Not Closed/],
  ['csv', 'team\nx\n', /record 1: it has no address, path or file_path/],
  ['csv', 'path\n', /it has no records/],
  ['json', '[1]', /every record must be an object/],
  ['json', '[{"path": "a", "size": 1}]', /column size already exists in bigtrace.traces/],
  ['json', '[{"path": "a", "n": 1, "n": 2}]', /Duplicate key/],
  ['json', '{"traces": [], "presets": 1}', /"presets" must be an array of objects/],
  ['json', '{"traces": [], "presets": [{"id": "a"}]}', /"presets", entry 1: it has no name/],
  ['json', '{"traces": [], "experiments": [{}]}', /entry 1: it has no experiment_id/],
  ['json', '{"traces": [], "schema": [{"name": ""}]}', /"schema", entry 1: it has no name/],
] as const)('a %s file with %j is rejected with the reason', async (ending, content, message) => {
  const path = file(ending, content);
  await expect(columnsOf(path).then(() => labels(path))).rejects.toThrow(message);
});

test('a missing file is an error that names it', async () => {
  await expect(columnsOf(join(directory, 'none.csv'))).rejects.toThrow(/none\.csv: ENOENT/);
});
