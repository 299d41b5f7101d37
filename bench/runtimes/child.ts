/**
 * The processes of the bench `runtimes`, bundled without the other benches, which would take longer to load than a trace: does
 * one task with one runtime, and prints its times as JSON. `node bench-runtime.js TASK RUNTIME ADDONS FILE…`
 */
import { join } from 'node:path';
import { ROOT } from '../../lib/common/root.ts';
import { type Engine, loadEngine, type RuntimeChoice } from '../../lib/engine/index.ts';
import { plainEngine } from '../plain-engine.ts';
import { bareCpu, restoreTimes, traceTimes } from './engine-tasks.ts';
import { cancelTimes, sharedMemory } from './thread-tasks.ts';
import { cpuMs, type RuntimeTask, type RuntimeTimes } from './times.ts';

async function main([task, runtime, addons = '', ...files]: string[]): Promise<RuntimeTimes> {
  const choice = { runtime, addons } as RuntimeChoice;
  const wasm = join(ROOT, 'vendor/trace-processor/trace_processor.wasm');
  const engine = await loadEngine(wasm, [], choice);
  const [file = ''] = files;
  switch (task as RuntimeTask) {
    case 'first':
      return traceTimes(engine, files, false);
    case 'hot':
      return traceTimes(engine, files, true);
    case 'plain':
      return plainTimes(engine, files);
    case 'bare':
      return bareCpu(plainEngine(engine), files);
    case 'restore':
      return restoreTimes(engine, file);
    case 'shared':
      return sharedMemory(engine, file);
    case 'cancel':
      return cancelTimes(engine, file);
  }
}

/** As `first`, without Bigtrace; the process began with Bigtrace's engine, so the second beginning is left out. */
function plainTimes(engine: Engine, files: string[]): RuntimeTimes {
  const from = cpuMs();
  const plain = plainEngine(engine);
  const beginningMs = cpuMs() - from;
  const times = traceTimes(plain, files, false);
  return { ...times, processMs: cpuMs() - beginningMs };
}

const times = await main(process.argv.slice(2));
const rssMiB = process.memoryUsage.rss() / 2 ** 20;
console.log(JSON.stringify({ processMs: cpuMs(), rssMiB, ...times }));
process.exit();
