/** The wasm module of TraceProcessor, compiled once a process and shared by its threads. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { BigtraceError } from '../common/errors.ts';
import { TraceProcessor } from './trace-processor.ts';

/** Plain data, structured-cloneable: `postMessage` it to a thread. */
export interface Engine {
  module: WebAssembly.Module;
  /** SHA-256 of the wasm file, hex. */
  digest: string;
  /** As TraceProcessor itself says it. */
  version: string;
}

/** @throws BigtraceError invalid_option: no such file, or no TraceProcessor. */
export async function loadEngine(path: string): Promise<Engine> {
  const refuse = (cause: unknown): BigtraceError =>
    new BigtraceError(
      'invalid_option',
      `${path} cannot be used as the TraceProcessor wasm: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  try {
    const bytes = await readFile(path);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const module = await WebAssembly.compile(bytes);
    const version = new TraceProcessor({ module, digest, version: '' }).version();
    return { module, digest, version };
  } catch (error) {
    throw refuse(error);
  }
}
