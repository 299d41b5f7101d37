/** Loads traces into an engine thread, and runs scripts on them, as a worker does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_READING } from '../../lib/engine/index.ts';
import { type CellValue, rowsOf } from '../../lib/query-result/index.ts';
import { CORPUS } from '../../test/corpus/index.ts';
import type { EngineThread } from '../engines/engine-thread.ts';

const HOUR = { minMs: 3_600_000, bytesPerSecond: 2 ** 20 };

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 200_000)
    yield Uint8Array.from(bytes.subarray(at, at + 200_000));
}

export function corpusTrace(path: string): Buffer {
  return readFileSync(join(CORPUS, path));
}

/** Loads a trace, whose key is `trace`. */
export async function loadTrace(
  engine: EngineThread,
  bytes: Uint8Array,
  signal = new AbortController().signal,
): Promise<void> {
  await engine.load(
    'trace',
    chunksOf(bytes),
    {
      ...{ memoryBytesMax: 2 ** 32, loadBound: HOUR, traceBytes: bytes.length },
      reading: { mode: FIRST_READING, unpackedBytesMax: 2 ** 32 },
      ...{ engineVersion: '', onPhase: () => {} },
    },
    signal,
  );
}

/** Returns the rows of a script on the loaded trace. */
export async function scriptRows(
  engine: EngineThread,
  sql: string,
  signal = new AbortController().signal,
): Promise<CellValue[][]> {
  const results: Uint8Array[] = [];
  await engine.query(
    {
      ...{ key: 'trace', sql: Buffer.from(sql), memoryBytesMax: 2 ** 32 },
      ...{ isSummary: false, mutatesState: false, wantsKinds: false },
      onResult: (result) => {
        results.push(result);
        return undefined;
      },
    },
    signal,
  );
  return rowsOf(results);
}
