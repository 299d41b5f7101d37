import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { CORPUS } from '../../test/corpus/index.ts';
import { describeFirstBytes, describeText } from './first-bytes.ts';
import { TraceProcessor } from './index.ts';
import { load, testEngine } from './testing.ts';

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
  ['464c520000020001', 'it is a recording of Java Flight Recorder'],
  ['504b050600000000', 'it is a zip without members'],
  ['526172211a0700', 'it is RAR data; decompress it first (gzip is read as it is)'],
  ['789ccb48', 'it is zlib data; decompress it first (gzip is read as it is)'],
  ['50415231', 'it is a Parquet file'],
  ['d4c3b2a10200', 'it is a capture of network packets (pcap)'],
  ['0061736d01', 'it is a WebAssembly module'],
  ['0a0b0c', undefined],
  ['', undefined],
])('a file that begins with %s is described: %s', (hex, what) => {
  expect(describeFirstBytes(Buffer.from(hex, 'hex'))).toBe(what);
});

test('an HTML page is described as one', () => {
  const page = Buffer.from('\n <!DOCTYPE html><html><title>Sign in</title>');
  expect(describeFirstBytes(page)).toBe('it is an HTML page');
});

test.each([
  [
    'version https://git-lfs.github.com/spec/v1\noid',
    'it is a pointer of Git LFS: run git lfs pull',
  ],
  [
    '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code>',
    'it is an XML document that says AccessDenied',
  ],
  ['<?xml version="1.0"?><a/>', 'it is an XML document'],
  ['go 1.22 trace\0\0\0', 'it is a trace of the Go runtime'],
])('a file that begins with %j is described: %s', (text, what) => {
  expect(describeFirstBytes(Buffer.from(text))).toBe(what);
});

test('describeText quotes the first line of a text and returns undefined for binary data', () => {
  expect(describeText(Buffer.from('\n# Traces of "March"\nmore'))).toBe(
    'it is text that begins with "# Traces of \\"March\\""',
  );
  expect(describeText(Buffer.from('é'.repeat(500)))).toMatch(
    /^it is text that begins with "é{30}"$/,
  );
  expect(describeText(Buffer.from('x'.repeat(500)))).toBe(
    `it is text that begins with "${'x'.repeat(60)}"`,
  );
  expect(describeText(Buffer.from(' \n\t '))).toBe('it is blank');
  for (const bytes of [[], [0x7b], [0x41, 0x00, 0x42], [0xff, 0xfe, 0x41]])
    expect(describeText(Buffer.from(bytes))).toBeUndefined();
});

function tarMember(name: string, content: string, type = '0'): Buffer {
  const block = Buffer.alloc(512 + Math.ceil(content.length / 512) * 512);
  block.write(name, 0);
  block.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  block.write(type, 156);
  block.write('ustar\x0000', 257);
  block.write(content, 512);
  return block;
}

test.each([
  ['', (bytes: Buffer) => bytes],
  ['within gzip, ', (bytes: Buffer) => gzipSync(bytes)],
])('the description of a tar names the member that is no trace: %s', (prefix, pack) => {
  const tar = Buffer.concat([
    tarMember('d/', '', '5'),
    tarMember('d/a.json', '{"traceEvents":[]}'),
    tarMember('d/._a.json', '\0\x05\x16\x07 Mac OS X'),
  ]);
  expect(describeFirstBytes(pack(tar))).toBe(`${prefix}its member "d/._a.json": it is not a trace`);
  expect(describeFirstBytes(pack(tar.subarray(0, 1536)))).toBeUndefined();
  for (let cut = 0; cut < tar.length; cut += 7) describeFirstBytes(tar.subarray(0, cut)); // must not throw
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
  'the description of a zip names the member that is no trace (packed: %s)',
  (packed) => {
    const zip = Buffer.concat([
      member('a.json', '{"traceEvents":[]}', packed),
      member('README.md', '# About these traces', packed),
    ]);
    expect(describeFirstBytes(zip)).toBe('its member "README.md": it is not a trace');
    for (let cut = 0; cut < zip.length; cut++) describeFirstBytes(zip.subarray(0, cut)); // must not throw
  },
);

test('the error of a trace that does not load ends with the description of its first bytes', async () => {
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
  expect(reason('bad/only-text.zip')).toMatch(/\(its member ".*": it is not a trace\)$/);
  expect(reason('bad/shell.elf')).toMatch(/\(it is an ELF program or library\)$/);
  expect(readFileSync(join(CORPUS, 'bad/random-64k.bin')).length).toBe(65_536);
  expect(reason('bad/random-64k.bin')).toMatch(/The trace file is corrupt\.$/);
});
