/** Helpers that the tests of this room share: they load the engine and traces of the corpus, and run queries. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CORPUS } from '../../test/corpus/index.ts';
import { RUNTIME_UNDER_TEST } from '../../test/harness/engine-runtime.ts';
import { ENGINE_WASM, fetchEngine } from '../../tools/build/fetch-engine.mjs';
import { rowsOf } from '../query-result/index.ts';
import { type Engine, loadEngine, type TraceProcessor } from './index.ts';

export async function testEngine(choice = RUNTIME_UNDER_TEST): Promise<Engine> {
  return loadEngine(await fetchEngine().then(() => ENGINE_WASM), [], choice);
}

export function load(processor: TraceProcessor, path: string): TraceProcessor {
  const trace = readFileSync(join(CORPUS, path));
  for (let at = 0; at < trace.length; at += 100_000)
    processor.append(trace.subarray(at, at + 100_000));
  processor.finalize();
  return processor;
}

export function queryRows(processor: TraceProcessor, sql: string): unknown[][] {
  return rowsOf(runQuery(processor, sql));
}

/** Runs a script and returns its results as the engine encoded them. */
export function runQuery(processor: TraceProcessor, sql: string): Uint8Array[] {
  const results: Uint8Array[] = [];
  processor.query(Buffer.from(sql), (result) => results.push(result.slice()));
  return results;
}

/** The numbers (inodes) of the files of this process that are images. */
export function openImages(): number[] {
  const directory = '/proc/self/fd';
  return readdirSync(directory).flatMap((name) => {
    try {
      const path = `${directory}/${name}`;
      return readlinkSync(path).startsWith('/memfd:bigtrace image') ? [statSync(path).ino] : [];
    } catch {
      return []; // the directory itself, which is closed now
    }
  });
}
