/** Perfetto's TraceProcessor, as wasm, in this process. */
export { type Engine, loadEngine } from './engine.ts';
export { TraceProcessor, type TraceProcessorOptions } from './trace-processor.ts';
