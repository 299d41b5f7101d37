/** Compiles TraceProcessor's wasm module and prepares the initial memory of its instances. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { BigtraceError } from '../common/errors.ts';
import type { Engine, UnpreparedEngine } from './engine.ts';
import { PACKET_TAG } from './first-bytes.ts';
import { COMPARED_VERSION, dividedPrelude, INCLUDE_EARLY_VIEWS } from './library/early-views.ts';
import { preludeModules } from './library/modules.ts';
import { engineCode, type RuntimeChoice, V8_RUNTIME } from './native/runtime-choice.ts';
import { packetFields, READING_VERSION, warningsSql, zstdModule } from './reading/index.ts';
import { packageFacts, type SqlPackage } from './script/sql-packages.ts';
import type { Snapshot } from './snapshot/snapshot.ts';
import { TraceProcessor } from './trace-processor.ts';
import { hasMemory64, wasmWidth } from './wasm/wasm-abi.ts';

/**
 * Loads TraceProcessor from the wasm file at `path`.
 * @param choice of the runtime
 * @param packages are registered in the initial memory, so every script on every instance can include them
 * @throws BigtraceError invalid_option: the file cannot be read or is no TraceProcessor, or it refuses a package
 */
export async function loadEngine(
  path: string,
  packages: readonly SqlPackage[] = [],
  choice: RuntimeChoice = V8_RUNTIME,
): Promise<Engine> {
  try {
    const bytes = await readFile(path);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const width = wasmWidth(bytes);
    if (width.is64 && !hasMemory64())
      throw new Error(
        `it has 64-bit memory, which Node 24 and later can run; this is Node ${process.version}`,
      );
    const unprepared: UnpreparedEngine = {
      code: await engineCode(bytes, { digest, is64: width.is64 }, choice),
      width,
      digest,
      packetFields: packetFields(bytes),
      zstd: await zstdModule(),
    };
    return prepared(unprepared, packages);
  } catch (cause) {
    if (cause instanceof BigtraceError && cause.code === 'invalid_option') throw cause;
    const why = cause instanceof Error ? cause.message : cause;
    const text = `cannot use ${path} as the TraceProcessor wasm: ${why}`;
    throw new BigtraceError('invalid_option', text, { cause });
  }
}

/**
 * Starts an instance, creates the early views, defines `bigtrace_warnings()` and registers the packages in its memory, which is
 * the initial one of all instances, so that no restore loses them.
 */
function prepared(unprepared: UnpreparedEngine, packages: readonly SqlPackage[]): Engine {
  const processor = started(unprepared);
  const version = processor.version();
  for (const each of packages) processor.register(each);
  const { requestAt } = processor;
  const engine: Engine = {
    ...unprepared,
    ...{ version, primed: undefined, requestAt, packages: packages.map(packageFacts) },
    ...identified(unprepared.digest, requestAt, processor.memoryOver([])),
  };
  return { ...engine, primed: primedMemory(engine, processor) };
}

/** Starts an instance, creates the early views in it if its version was compared, and defines `bigtrace_warnings()`. */
function started(unprepared: UnpreparedEngine): TraceProcessor {
  const processor = new TraceProcessor(unprepared);
  const define = warningsSql(new Map());
  const modules = COMPARED_VERSION.test(processor.version())
    ? preludeModules(processor.memory)
    : [];
  if (modules.length === 0) {
    processor.query(define, () => {});
    return processor;
  }
  const prelude = dividedPrelude(modules);
  processor.register(prelude.early, true);
  // In one script, because `sqlstats` has a row for each.
  processor.query(Buffer.concat([Buffer.from(INCLUDE_EARLY_VIEWS), define]), () => {});
  processor.register(prelude.late, true);
  return processor;
}

/**
 * Returns the memory for the primed start; undefined if the engine does not accept the byte alone.
 * @param processor is in the initial state
 */
export function primedMemory(engine: Engine, processor: TraceProcessor): Snapshot | undefined {
  try {
    processor.append(Uint8Array.of(PACKET_TAG));
    return { engine: engine.identity, ...processor.memoryOver([engine.initial]) };
  } catch (thrown) {
    if (thrown instanceof BigtraceError) return undefined;
    throw thrown;
  }
}

function identified(
  digest: string,
  requestAt: number,
  memory: Omit<Snapshot, 'engine'>,
): Pick<Engine, 'identity' | 'initial'> {
  const identity = createHash('sha256')
    .update(
      `${digest} ${READING_VERSION} ${requestAt} ${memory.memoryBytes} ${memory.runs.join(' ')}\n`,
    )
    .update(memory.contents)
    .digest('hex');
  return { identity, initial: { engine: identity, ...memory } };
}
