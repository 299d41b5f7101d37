import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { CORPUS, corpusTraces } from '../../test/corpus/index.ts';
import { type Engine, loadEngine, TraceProcessor } from './index.ts';
import { load, queryRows, testEngine } from './testing.ts';

const MIB = 2 ** 20;

let engine: Engine;
let shared: TraceProcessor;
beforeAll(async () => {
  engine = await testEngine();
  shared = new TraceProcessor(engine);
}, 300_000);

/** The traces of the corpus without those that are large or crash the engine, which other tests load. */
const ordinary = corpusTraces()
  .filter(({ path }) => !/bomb/.test(path) && statSync(join(CORPUS, path)).size < 170_000)
  .filter(({ path }) => !/^(handmade\/gzip-cpu\.|bad\/json-(bom|utf16))/.test(path)) // in reading/file-start.test.ts
  .filter(({ error }) => !/HANG|THROW/.test(error));

test('the engine reports its version and digest', () => {
  expect(engine.version).toBe(
    'Perfetto v55.3-df2b6e4be (df2b6e4be1b2f6f799e72e0210d5981af6506436)',
  );
  expect(engine.digest).toMatch(/^c1c25c29/);
  expect(structuredClone(engine).digest).toBe(engine.digest);
});

test('loadEngine refuses a file that is no TraceProcessor, and names it', async () => {
  await expect(loadEngine('/nonexistent.wasm')).rejects.toThrow(
    /^cannot use \/nonexistent\.wasm as the TraceProcessor wasm: ENOENT/,
  );
  await expect(loadEngine(import.meta.filename)).rejects.toMatchObject({ code: 'invalid_option' });
});

describe('every small trace', () => {
  test.each(ordinary.filter(({ loads }) => loads))(
    '$path loads with the expected row counts',
    ({ path, counts }) => {
      shared.reset();
      const processor = load(shared, path);
      const received = ['slice', 'sched', 'thread', 'process'].map((table) =>
        Number(queryRows(processor, `SELECT count(*) FROM ${table}`)[0]?.[0]),
      );
      expect(received).toEqual(counts.slice(0, 4));
    },
  );

  test.each(ordinary.filter(({ loads }) => !loads))(
    '$path fails with the expected error',
    ({ path, error }) => {
      const message = error.replace(/^(append|finalize): /, '');
      shared.reset();
      let thrown: unknown;
      try {
        load(shared, path);
      } catch (error_) {
        thrown = error_;
      }
      expect(thrown).toMatchObject({ code: 'trace_invalid' });
      // A description of the first bytes may follow the engine's message in parentheses.
      expect((thrown as Error).message.startsWith(message)).toBe(true);
    },
  );
});

test('after a failed load, every further call throws the first error', () => {
  const processor = new TraceProcessor(engine);
  const reason = 'Trace parse failure (Unknown trace type provided (ERR:fmt)) (ERR:tp-parse).';
  for (const step of [
    () => processor.append(Buffer.from('plainly no trace')),
    () => processor.append(Buffer.from('more')),
    () => processor.finalize(),
  ])
    expect(step).toThrow(`${reason} The trace file is corrupt.`);
  expect(processor.poisoned).toBeUndefined();
});

describe('queries', () => {
  let processor: TraceProcessor;
  beforeAll(() => {
    processor = load(new TraceProcessor(engine), 'recorded/linux/compile-c.pftrace');
  });

  test('a failed query throws the engine’s message, and the instance stays usable', () => {
    expect(() => queryRows(processor, 'SELECT x FROM nope')).toThrow(
      expect.objectContaining({
        code: 'sql_failed',
        message: expect.stringMatching(/^Traceback.*no such table: nope$/s),
      }),
    );
    expect(() => queryRows(processor, ' -- nothing')).toThrow('No valid SQL to run');
    expect(queryRows(processor, 'SELECT 1 + 1')).toEqual([[2n]]);
  });

  test('incomplete SQL is an sql_failed error although the engine crashes', () => {
    const snapshot = processor.snapshot();
    for (const sql of ['SELECT', 'SELECT 1; SELECT 1 + -- more', 'SELECT * FROM slice WHERE;']) {
      expect(() => queryRows(processor, sql)).toThrow(
        expect.objectContaining({ code: 'sql_failed', message: 'incomplete SQL statement' }),
      );
      expect(processor.poisoned).toMatchObject({ code: 'engine_crashed' });
      processor.restore(snapshot);
    }
    expect(() => queryRows(processor, 'SELECT 1 FROM')).toThrow(/incomplete SQL statement$/);
    expect(queryRows(processor, 'SELECT 1')).toEqual([[1n]]);
  });

  test('a query that fails in mid-run throws after some results were passed on', () => {
    let results = 0;
    const sql =
      "SELECT iif(x < 100000, x, json_extract('{', '$')) FROM " +
      '(WITH RECURSIVE r(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM r LIMIT 100001) SELECT x FROM r)';
    expect(() => processor.query(Buffer.from(sql), () => results++)).toThrow(/malformed JSON/);
    expect(results).toBeGreaterThan(0);
  });

  test('SQL and cells may be longer than the buffers, but SQL over 32 MiB is refused', () => {
    const text = 'é'.repeat(3 * MIB);
    expect(queryRows(processor, `SELECT '${text}'`)).toEqual([[text]]);
    const tooLong = new Uint8Array(32 * MIB + 1).fill(0x20);
    expect(() => processor.query(tooLong, () => {})).toThrow(
      'SQL is 33554433 bytes long, the bound is 33554432',
    );
  });

  test('SQL may contain any bytes, and equal queries return equal bytes', () => {
    const results = [1, 2].map(() => {
      const parts: Uint8Array[] = [];
      const sql = Buffer.concat([
        Buffer.from("SELECT *, '"),
        Buffer.of(0xff),
        Buffer.from("' FROM sched"),
      ]);
      processor.query(sql, (result) => parts.push(result.slice()));
      return Buffer.concat(parts);
    });
    expect(results[0]?.length).toBeGreaterThan(100_000);
    expect(results[0]?.equals(results[1] ?? Buffer.of())).toBe(true);
  });

  test('the engine knows the time of day, in UTC', () => {
    const [[now, local, parsed] = []] = queryRows(
      processor,
      "SELECT unixepoch('now'), datetime(1e9, 'unixepoch', 'localtime'), unixepoch('2000-02-29', 'utc')",
    );
    expect(Math.abs(Number(now) - Date.now() / 1000)).toBeLessThan(10);
    expect(local).toBe('2001-09-09 01:46:40');
    expect(parsed).toBe(BigInt(Date.UTC(2000, 1, 29) / 1000));
  });
});

describe('an instance that failed', () => {
  test('a trap is reported with its reason, and further requests fail', () => {
    const processor = new TraceProcessor(engine);
    const nested = readFileSync(join(CORPUS, 'bad/proto-compressed-nested.pftrace'));
    const death = {
      code: 'engine_crashed',
      message: expect.stringMatching(
        /^TraceProcessor crashed \(unreachable\): .*PERFETTO_CHECK\(!decoder\.has_compressed_packets\(\)\)/,
      ),
    };
    expect(() => processor.append(nested)).toThrow(expect.objectContaining(death));
    expect(processor.poisoned).toMatchObject(death);
    expect(() => queryRows(processor, 'SELECT 1')).toThrow(expect.objectContaining(death));
  });

  test('a machine without memory is a retryable out_of_memory error, and reset makes it usable again', () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
      throw new RangeError('WebAssembly.Memory.grow(): Unable to grow instance memory');
    });
    const processor = new TraceProcessor(engine);
    let thrown: unknown;
    try {
      load(processor, 'recorded/linux/mem-pressure.pftrace');
    } catch (error) {
      thrown = error;
    } finally {
      grow.mockRestore();
    }
    expect(thrown).toMatchObject({
      ...{ code: 'out_of_memory', retryable: true },
      detail: expect.stringMatching(
        /^the machine has no memory left for TraceProcessor, which needed \d+ bytes$/,
      ),
    });
    processor.reset();
    load(processor, 'recorded/linux/gzip-cpu.pftrace');
    expect(queryRows(processor, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
  });

  test('memory beyond the bound is a limit_exceeded error that names the bound', () => {
    expect(() =>
      load(
        new TraceProcessor(engine, { memoryBytesMax: 64 * MIB }),
        'bad/proto-compressed-bomb-300m.pftrace',
      ),
    ).toThrow(
      expect.objectContaining({
        code: 'limit_exceeded',
        message: 'TraceProcessor needs more memory than its bound of 67108864 bytes',
      }),
    );
    const processor = load(new TraceProcessor(engine), 'recorded/linux/compile-c.pftrace');
    processor.memoryBytesMax = 64 * MIB;
    expect(() => queryRows(processor, 'SELECT length(hex(zeroblob(100000000)))')).toThrow(
      'TraceProcessor needs more memory than its bound of 67108864 bytes',
    );
    expect(processor.memoryBytes).toBeLessThanOrEqual(64 * MIB);
  });

  test('an error that a callback throws is thrown on and poisons the instance', () => {
    const processor = load(new TraceProcessor(engine), 'recorded/linux/compile-c.pftrace');
    const enough = new Error('enough rows');
    const stop = (): never => {
      throw enough;
    };
    expect(() => processor.query(Buffer.from('SELECT * FROM sched'), stop)).toThrow(enough);
    expect(processor.poisoned).toBe(enough);
  });
});
