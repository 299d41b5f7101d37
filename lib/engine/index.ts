/** Perfetto's TraceProcessor, compiled to WebAssembly, in this process. */
export type { Engine } from './engine.ts';
export { type FileFamily, familyOf } from './first-bytes.ts';
export { possibleKinds } from './inference/index.ts';
export { type VocabularyModule, vocabularyOf } from './library/vocabulary.ts';
export { loadEngine } from './load-engine.ts';
export { addonsDirectory } from './native/addon-file.ts';
export {
  allowInstance,
  hasImage,
  imageKey,
  interruptInstance,
  MEMORY_DAMAGED,
  regionCheck,
} from './native/native-instance.ts';
export { ENGINE_RUNTIMES, type RuntimeChoice } from './native/runtime-choice.ts';
export {
  FIRST_READING,
  ReadAgain,
  type ReadingMode,
  type ReadingOptions,
  TraceReading,
} from './reading/index.ts';
export { joinTraits, mayInclude, type ScriptTraits, scriptTraits } from './script/script-traits.ts';
export { type PackageFacts, readSqlPackages, type SqlPackage } from './script/sql-packages.ts';
export { SUMMARIZE, summarySpecOf, summaryTraits } from './script/summary-script.ts';
export { encodeMemory, type RegionCheck } from './snapshot/memory-file.ts';
export {
  freeSnapshot,
  receivedSnapshot,
  type Snapshot,
  snapshotBytes,
} from './snapshot/snapshot.ts';
export {
  encodeSnapshot,
  type ReadBytes,
  readable,
  readSnapshot,
  SnapshotOfOtherEngine,
  SnapshotUnreadable,
  SnapshotUnusable,
} from './snapshot/snapshot-file.ts';
export { TraceProcessor, type TraceProcessorOptions } from './trace-processor.ts';
export { hasMemory64, WASM32_BYTES_MAX, WASM64_BYTES_MAX } from './wasm/wasm-abi.ts';
export { memoryBoundText } from './wasm/wasm-host.ts';
export { WideEngine } from './wide-engine.ts';
