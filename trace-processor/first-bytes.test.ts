import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { CORPUS } from '../test/corpus/index.ts';
import { describeFirstBytes } from './first-bytes.ts';
import { TraceProcessor } from './index.ts';
import { load, testEngine } from './test-traces.ts';

test.each([
  ['28b52ffd0458', 'it is zstd data; decompress it first (gzip is read as it is)'],
  ['fd377a585a0000', 'it is xz data; decompress it first (gzip is read as it is)'],
  ['425a6839', 'it is bzip2 data; decompress it first (gzip is read as it is)'],
  ['04224d18', 'it is lz4 data; decompress it first (gzip is read as it is)'],
  ['fffe5b00', 'it is UTF-16 text; save it as UTF-8'],
  ['feff005b', 'it is UTF-16 text; save it as UTF-8'],
  ['efbbbf7b7d', 'it is text with a byte order mark; save it without one'],
  ['7f454c460201', 'it is an ELF program or library'],
  ['0000000000', 'it begins with zeros'],
  ['0a0b0c', undefined],
  ['', undefined],
])('%s: %s', (hex, what) => {
  expect(describeFirstBytes(Buffer.from(hex, 'hex'))).toBe(what);
});

test('a page is called one', () => {
  const page = Buffer.from('\n <!DOCTYPE html><html><title>Sign in</title>');
  expect(describeFirstBytes(page)).toBe('it is an HTML page');
});

function member(name: string, content: string, packed: boolean): Buffer {
  const data = packed ? deflateRawSync(content) : Buffer.from(content);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(packed ? 8 : 0, 8);
  head.writeUInt32LE(data.length, 18);
  head.writeUInt32LE(content.length, 22);
  head.writeUInt16LE(Buffer.byteLength(name), 26);
  return Buffer.concat([head, Buffer.from(name), data]);
}

test.each([true, false])(
  'of a zip, the member that is no trace is named (packed: %s)',
  (packed) => {
    const zip = Buffer.concat([
      member('a.json', '{"traceEvents":[]}', packed),
      member('README.md', '# About these traces', packed),
    ]);
    expect(describeFirstBytes(zip)).toBe('its member "README.md": it is no trace');
    for (let cut = 0; cut < zip.length; cut++) describeFirstBytes(zip.subarray(0, cut)); // never throws
  },
);

test('the error of a trace that does not load ends with it', async () => {
  const engine = await testEngine();
  const reason = (path: string): string => {
    try {
      load(new TraceProcessor(engine), path);
    } catch (thrown) {
      return (thrown as Error).message;
    }
    return 'it loads';
  };
  expect(reason('bad/json-utf16.json')).toMatch(
    /The trace file is corrupt\. \(it is UTF-16 text; save it as UTF-8\)$/,
  );
  expect(reason('bad/only-text.zip')).toMatch(/\(its member ".*": it is no trace\)$/);
  expect(reason('bad/shell.elf')).toMatch(/\(it is an ELF program or library\)$/);
  expect(readFileSync(join(CORPUS, 'bad/random-64k.bin')).length).toBe(65_536);
  expect(reason('bad/random-64k.bin')).toMatch(/The trace file is corrupt\.$/);
});
