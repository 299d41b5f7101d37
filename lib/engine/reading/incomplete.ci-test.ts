import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { tarOf, ZIP_END_BYTES, zipOf } from '../../common/archive/testing.ts';
import { queryRows, testEngine } from '../testing.ts';
import { chunked, readTrace, zstd } from './testing.ts';

const engine = await testEngine();
const EVENTS = [10, 20, 30].map(
  (ts) => `{"ph":"X","ts":${ts},"dur":5,"pid":1,"tid":1,"name":"}]\\""}`,
);
const ARRAY = `[${EVENTS.join(',\n')}]\n`;
const OBJECT = `{"traceEvents":${ARRAY}}\n`;

/** Returns the number of slices and the names of the warnings, or the error. */
function outcome(bytes: Uint8Array, chunkBytes = 100): string {
  try {
    const { processor, findings } = readTrace(engine, chunked(bytes, chunkBytes));
    const [[slices]] = queryRows(processor, 'SELECT count(*) FROM slice') as [[bigint]];
    return [slices, ...findings.warnings().keys()].join('; ');
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

const member = { name: 'a.json', bytes: Buffer.from(OBJECT) };
const readme = { name: 'README', bytes: Buffer.from('Recorded 12 traces.\n') };

test.each<[string, Buffer]>([
  ['deflated', zipOf(member)],
  ['stored', zipOf({ ...member, method: 'stored' })],
  ['streamed', zipOf({ ...member, sizesAfter: 'signed' })],
  ['compressed with zstd', zipOf({ ...member, method: { id: 93, pack: zstd } })],
  ['followed by a readme', zipOf(member, readme)],
])(
  'a zip file with a member %s that is cut short anywhere in its members is an error',
  (_, zip) => {
    expect(outcome(zip)).toMatch(/^3/);
    const directory = zip.indexOf(Buffer.from('504b0102', 'hex'));
    const spread = Array.from({ length: 8 }, (_, nth) => Math.floor((directory * (nth + 1)) / 9));
    for (const cut of [
      4,
      29,
      33,
      ...spread,
      directory - 13,
      directory - 1,
      directory,
      directory + 3,
    ])
      expect(outcome(zip.subarray(0, cut)), `${cut}`).toMatch(
        /the zip data of the trace is cut short|Unsupported |its member "README"/,
      );
    for (const cut of [directory + 4, zip.length - ZIP_END_BYTES, zip.length - 1])
      expect(outcome(zip.subarray(0, cut)), `${cut}`).toMatch(
        /^3.*; the directory of the zip file is cut short, after all its members/,
      );
  },
);

test('a zip file that lacks a member of its directory, or holds a damaged one, is an error', () => {
  const [one, two] = [zipOf(member), zipOf(member, readme)];
  const directory = (zip: Buffer): number => zip.indexOf(Buffer.from('504b0102', 'hex'));
  const lacking = Buffer.concat([one.subarray(0, directory(one)), two.subarray(directory(two))]);
  expect(outcome(lacking)).toContain('its directory has 2 entries, the file 1 members');
  const stored = zipOf({ ...member, method: 'stored' });
  stored[stored.indexOf('name')] = 0x4e; // another key
  expect(outcome(stored)).toContain('the checksum of its member "a.json" does not match');
});

test.each<[string, Buffer]>([
  ['a gzip file', gzipSync(zipOf(member).subarray(0, 100))],
  ['a zstd file', zstd(zipOf(member).subarray(0, 100))],
  ['a zip file', zipOf({ name: 'b.zip', bytes: zipOf(member).subarray(0, 100) })],
  ['a tar file', tarOf({ name: 'b.zip', bytes: zipOf(member).subarray(0, 100) })],
])('a zip file that is cut short within %s is an error', (_, bytes) => {
  expect(outcome(bytes)).toContain('the zip data of the trace is cut short');
});

test('a JSON array that does not end is read up to there, with a warning', () => {
  const warning = 'incomplete: the JSON document does not end, as if the file were cut short';
  expect(outcome(Buffer.from(ARRAY))).toBe('3');
  const withoutEnd = ARRAY.slice(0, ARRAY.lastIndexOf(']'));
  expect(outcome(Buffer.from(withoutEnd), 7)).toBe(`3; ${warning}`);
  expect(outcome(Buffer.from(withoutEnd.slice(0, -10)))).toBe(`2; ${warning}`);
  expect(outcome(gzipSync(withoutEnd))).toBe(`3; ${warning}`);
  expect(outcome(zipOf({ name: 'a.json', bytes: Buffer.from(withoutEnd) }))).toBe(
    `3; ${warning.replace(':', ': member "a.json" of the archive:')}`,
  );
});

test.each<[string, string]>([
  ['one in each line', `${OBJECT.replaceAll('\n', '')}\n${OBJECT}`],
  ['without anything between them', `${OBJECT.trim()}${ARRAY}`],
  ['with commas between them', EVENTS.join(',')],
  ['one event in each line', EVENTS.join('\r\n')],
])('several JSON documents in a file, %s, are an error', (_, text) => {
  const reason =
    'the file has several JSON documents, of which TraceProcessor reads only the first; store each as a file, or all events in one array';
  expect(outcome(Buffer.from(text))).toContain(reason);
  expect(outcome(Buffer.from(text), 1)).toContain(reason);
  expect(outcome(gzipSync(text))).toContain(reason);
  expect(outcome(zipOf({ name: 'a.json', bytes: Buffer.from(text) }))).toContain(reason);
});

test('text after a JSON document is a warning, white space and zeros are none', () => {
  expect(outcome(Buffer.from(`${OBJECT}}`))).toBe(
    '3; incomplete: text follows the JSON document, which the engine ignores',
  );
  expect(outcome(Buffer.from(`\n ${OBJECT}\r\n\0\0 `), 3)).toBe('3');
});

const SYSTRACE = `# tracer: nop
#
#           TASK-PID    TGID   CPU#  ||||    TIMESTAMP  FUNCTION
 a-1 [000] ...1 1.000000: tracing_mark_write: B|1|x
 a-1 [000] ...1 1.100000: tracing_mark_write: E|1
`;
const PAGE = `<!DOCTYPE html>\n<html>\n<head></head><body>\n<!-- BEGIN TRACE -->\n  <script class="trace-data" type="application/text">\n${SYSTRACE}</script>\n</body></html>\n`;

test.each<[string, string, string]>([
  ['lines', SYSTRACE, 'the last line has no line feed, as if the file were cut short'],
  ['an HTML page', PAGE, 'the HTML page does not end, as if the file were cut short'],
])('text in %s that ends early has a warning', (_, text, warning) => {
  expect(outcome(Buffer.from(text))).toBe('1');
  expect(outcome(Buffer.from(text.slice(0, -9)), 11)).toContain(`; incomplete: ${warning}`);
});

test('a Fuchsia trace that ends within a record has a warning', () => {
  const magic = Buffer.from('1000044678541600', 'hex');
  const initialization = Buffer.from('210000000000000000ca9a3b00000000', 'hex');
  const trace = Buffer.concat([magic, initialization]);
  expect(outcome(trace, 3)).toBe('0');
  for (const cut of [trace.length - 1, trace.length - 8, trace.length - 13])
    expect(outcome(trace.subarray(0, cut), 3)).toBe(
      '0; incomplete: the trace ends within a record',
    );
});
