/** Faults of compiled code: they end the call and poison that instance only. */
import { expect, test } from 'vitest';
import { TraceProcessor } from '../index.ts';
import { load, queryRows, testEngine } from '../testing.ts';
import { V8_RUNTIME } from './runtime-choice.ts';

const GZIP = 'recorded/linux/gzip-cpu.pftrace';
const FOREVER =
  'CREATE PERFETTO FUNCTION forever(n LONG) RETURNS LONG AS SELECT forever($n + 1); SELECT forever(1) AS v';

const native = await testEngine();

test('the engine under test is compiled', () => expect(native.code.runtime).toBe('native'));

/** A module of V8 whose function f reads memory out of bounds; V8 finds that by a fault, too. */
const OUT_OF_BOUNDS = new WebAssembly.Module(
  // biome-ignore format: one section per line
  Uint8Array.of(
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    1, 4, 1, 0x60, 0, 0,
    3, 2, 1, 0,
    5, 3, 1, 0, 1,
    7, 5, 1, 1, 0x66, 0, 0,
    10, 14, 1, 12, 0, 0x41, 0xf0, 0xff, 0xff, 0xff, 7, 0x28, 2, 0, 0x1a, 0x0b,
  ),
);

function expectTrapOfV8(): void {
  const { f } = new WebAssembly.Instance(OUT_OF_BOUNDS).exports as { f: () => void };
  expect(f).toThrow('memory access out of bounds');
}

test('a stack overflow ends the call, each time, and leaves other instances and V8 alone', () => {
  const neighbour = load(new TraceProcessor(native), GZIP);
  const processor = load(new TraceProcessor(native), GZIP);
  const loaded = processor.snapshot();
  for (let round = 0; round < 5; round++) {
    expect(() => queryRows(processor, FOREVER)).toThrow(
      expect.objectContaining({
        code: 'engine_crashed',
        message: expect.stringContaining('Maximum call stack size exceeded'),
      }),
    );
    expect(() => queryRows(processor, 'SELECT 1')).toThrow('TraceProcessor crashed');
    expectTrapOfV8();
    expect(queryRows(neighbour, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
    processor.restore(loaded);
    expect(queryRows(processor, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
  }
});

/** Each of these bytes, in place of all contents of a trace, makes another access that the engine must not do. */
const FILLS = [0xff, 0x7f, 0x80];

test('an access out of bounds ends the call, with the words of V8', async () => {
  const v8 = await testEngine(V8_RUNTIME);
  const [words, same] = [native, v8].map((engine) => {
    const processor = load(new TraceProcessor(engine), GZIP);
    const { contents, ...head } = processor.snapshot();
    return FILLS.map((fill) => {
      processor.restore({ ...head, contents: new Uint8Array(contents.length).fill(fill) });
      let message = '';
      try {
        queryRows(processor, 'SELECT count(*) FROM sched');
      } catch (thrown) {
        message = String(thrown);
      }
      expect(processor.poisoned).toMatchObject({ code: 'engine_crashed' });
      processor.reset();
      expect(queryRows(load(processor, GZIP), 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
      expectTrapOfV8();
      return message;
    });
  });
  expect(words).toEqual(same);
  expect(words?.[0]).toContain('null function or function signature mismatch');
  expect(words?.[1]).toContain('memory access out of bounds');
});

test('while an instance passes on results, others run and crash; it goes on in its own memory', () => {
  const sql = 'SELECT * FROM sched';
  const outer = load(new TraceProcessor(native), GZIP);
  const expected = queryRows(outer, sql);
  const inner = load(new TraceProcessor(native), GZIP);
  const loaded = inner.snapshot();
  const pieces: Uint8Array[] = [];
  outer.query(Buffer.from(sql), (piece) => {
    pieces.push(piece.slice());
    expect(queryRows(new TraceProcessor(native), 'SELECT 7 AS n')).toEqual([[7n]]);
    expect(() => queryRows(inner, FOREVER)).toThrow('Maximum call stack size exceeded');
    inner.restore(loaded);
  });
  expect(pieces.length).toBeGreaterThan(0);
  expect(queryRows(outer, sql)).toEqual(expected);
  expect(queryRows(inner, sql)).toEqual(expected);
});

test('instances that were dropped give their memory back', async () => {
  for (let round = 0; round < 15; round++) {
    load(new TraceProcessor(native), GZIP);
    await new Promise((resolve) => setImmediate(resolve)); // finalizers run then
  }
  expect(process.memoryUsage.rss()).toBeLessThan(2 ** 30);
});
