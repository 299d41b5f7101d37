import { beforeAll, expect, test } from 'vitest';
import { METADATA_SQL, metadataOf, type TraceMetadata } from '../../../catalog/metadata.ts';
import { type Engine, TraceProcessor } from '../../../lib/engine/index.ts';
import { load, runQuery, testEngine } from '../../../lib/engine/testing.ts';
import { rowsOf } from '../../../lib/query-result/index.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

function metadata(path: string): TraceMetadata {
  return metadataOf(rowsOf(runQuery(load(new TraceProcessor(engine), path), METADATA_SQL)));
}

test.each([
  ['recorded/linux/compile-c.pftrace', 'ok'],
  ['bad/json-name-1mb.json', 'ok'],
  ['bad/page.html', 'empty'],
  ['bad/empty.pftrace', 'empty'],
  ['bad/json-not-a-trace.json', 'empty'],
  ['bad/proto-huge-length.pftrace', 'empty'],
  ['bad/json-huge-ts.json', 'empty'],
  ['bad/json-string-ids.json', 'partial'],
  ['recorded/other/gcc.perf.data', 'partial'],
])('the verdict of %s is %s', (path, verdict) => {
  expect(metadata(path).verdict).toBe(verdict);
});

test('the metadata has error and row counts by name', () => {
  const { errorStats, rowCounts } = metadata('recorded/other/gcc.perf.data');
  expect(Object.fromEntries(errorStats)).toEqual({ perf_record_skipped: 15n });
  expect(Object.fromEntries(rowCounts)).toEqual({
    counter: 64n,
    perf_sample: 64n,
    stack_profile_callsite: 271n,
  });
});

test('the verdict of a profile with stacks but without timestamps is ok', () => {
  const processor = new TraceProcessor(engine);
  processor.append(Buffer.from('main;foo;bar 10\nmain;foo 5\n'));
  processor.finalize();
  const { verdict, rowCounts } = metadataOf(rowsOf(runQuery(processor, METADATA_SQL)));
  expect([verdict, Object.fromEntries(rowCounts)]).toEqual(['ok', { stack_profile_callsite: 3n }]);
});
