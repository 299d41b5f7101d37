/** The engine as it is without Bigtrace, with which the benches compare. */
import { type Engine, TraceProcessor } from '../lib/engine/index.ts';

/** Returns the engine with the initial memory that TraceProcessor has: no trace is primed, and no view is created early. */
export function plainEngine(engine: Engine): Engine {
  const { code, width, digest, packetFields, zstd, identity } = engine;
  const start = new TraceProcessor({ code, width, digest, packetFields, zstd });
  const initial = { engine: identity, ...start.memoryOver([]) };
  return { ...engine, primed: undefined, requestAt: start.requestAt, initial };
}
