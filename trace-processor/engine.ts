/** The wasm module of TraceProcessor, compiled once a process and shared by its threads. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { BigtraceError } from '../common/errors.ts';
import { type Image, snapshotMemory } from './image.ts';
import { TraceProcessor } from './trace-processor.ts';
import { WasmHost } from './wasm-host.ts';

/** Plain data, structured-cloneable: `postMessage` it to a thread. */
export interface Engine {
  module: WebAssembly.Module;
  /** SHA-256 of the wasm file, hex. */
  digest: string;
  /** As TraceProcessor itself says it, such as "Perfetto v55.3-…". */
  version: string;
  /** State of an instance right after its start; every one is put into it by copying. */
  initial: Image;
  /** SHA-256 of module and initial image, hex: images are good for this engine only. */
  identity: string;
  /** Address of the buffer for requests. */
  requestAt: number;
}

/** @throws BigtraceError invalid_option: no such file, or no TraceProcessor. */
export async function loadEngine(path: string): Promise<Engine> {
  try {
    const bytes = await readFile(path);
    const digest = createHash('sha256').update(bytes).digest('hex');
    return start(await WebAssembly.compile(bytes), digest);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : cause;
    const text = `${path} cannot be used as the TraceProcessor wasm: ${why}`;
    throw new BigtraceError('invalid_option', text, { cause });
  }
}

function start(module: WebAssembly.Module, digest: string): Engine {
  const host = new WasmHost(module, 2 ** 32, () => {});
  const requestAt = host.boot();
  const memory = snapshotMemory(host.memory, []);
  const identity = createHash('sha256')
    .update(`${digest} ${requestAt} ${memory.memoryBytes} ${memory.runs.join(' ')}\n`)
    .update(memory.contents)
    .digest('hex');
  const initial = { engine: identity, ...memory };
  const engine = { module, digest, version: '', initial, identity, requestAt };
  return { ...engine, version: new TraceProcessor(engine).version() };
}
