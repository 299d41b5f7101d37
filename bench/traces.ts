/** Makes traces for benches from the samples; a file may contain a sample several times. */
import { linkSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../lib/common/root.ts';

const SAMPLES = join(ROOT, 'samples/traces');
const CHROME = join(SAMPLES, 'chrome/fetch-a.pftrace');
const MANY_SLICES = join(SAMPLES, 'linux/deflate-find.pftrace');
const SMALL_PROTO = join(SAMPLES, 'linux/gzip-cpu.pftrace');

export interface TraceDir extends Disposable {
  dir: string;
  files: string[];
}

/** Makes Chrome traces of about these sizes in MB. */
export function chromeTraces(megabytes: number[]): TraceDir {
  const piece = readFileSync(CHROME);
  return traceDir(megabytes.length, (n) =>
    repeated(piece, Math.max(1, Math.round(((megabytes[n] ?? 0) * 1e6) / piece.length))),
  );
}

/** Makes `count` copies of a trace of 117 KB, as hard links. */
export function protoTraces(count: number): TraceDir {
  const bytes = readFileSync(SMALL_PROTO);
  return traceDir(count, () => bytes);
}

/** Makes traces with `pieces` times 67,231 slices each. */
export function sliceTraces(count: number, pieces: number): TraceDir {
  return traceDir(count, () => repeated(readFileSync(MANY_SLICES), pieces));
}

function repeated(piece: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => piece));
}

function traceDir(count: number, contents: (n: number) => Buffer): TraceDir {
  const dir = mkdtempSync(join(tmpdir(), 'bigtrace-bench-'));
  const files: string[] = [];
  let last: { bytes: Buffer; file: string } | undefined;
  for (let n = 0; n < count; n++) {
    const file = join(dir, `trace-${String(n).padStart(6, '0')}`);
    const bytes = contents(n);
    if (last?.bytes === bytes && statSync(last.file).nlink < 10_000) linkSync(last.file, file);
    else writeFileSync(file, bytes);
    last = last?.bytes === bytes ? last : { bytes, file };
    files.push(file);
  }
  return { dir, files, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}
