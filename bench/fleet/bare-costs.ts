/**
 * Measures in a process of its own what each step of a trace costs without Bigtrace's services, in processor time: the
 * steps of the engine once V8 has optimized its code, and those of the store. `node bench.js bare-costs ROOT LARGE FILE…`
 */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../lib/common/root.ts';
import { loadEngine, TraceProcessor } from '../../lib/engine/index.ts';
import { createTraceStores, type TraceStores } from '../../lib/trace-store/index.ts';
import { BENCH_PROGRAM, median } from '../bench.ts';

export const BARE_COSTS = 'bare-costs';

/** Processor time of one trace, in milliseconds. */
export interface StepCosts {
  statMs: number;
  readMs: number;
  parseMs: number;
  queryMs: number;
}

export interface BareCosts {
  small: StepCosts;
  large: StepCosts & { bytes: number };
}

/** Share of the small traces with which the process becomes hot. */
const WARM_SHARE = 2 / 3;
const LARGE_LOADS = 5;

export async function bareCosts(
  sql: string,
  root: string,
  large: string,
  files: string[],
): Promise<BareCosts> {
  const args = [BENCH_PROGRAM, BARE_COSTS, sql, root, large, ...files];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as BareCosts;
}

/** The main function of the child process. */
export async function bareCostsMain([
  sql = '',
  root = '',
  large = '',
  ...files
]: string[]): Promise<void> {
  const engine = await loadEngine(join(ROOT, 'vendor/trace-processor/trace_processor.wasm'));
  const run = new Measured(new TraceProcessor(engine), Buffer.from(sql));
  const stores = createTraceStores({ localRoot: root }, 2 ** 40);
  const addressOf = (file: string): string => `/local/${relative(root, file)}`;
  const all: StepCosts[] = [];
  for (const file of files) all.push(await run.trace(stores, addressOf(file)));
  const hot = all.slice(Math.floor(all.length * WARM_SHARE));
  const mean = (costs: StepCosts[], step: keyof StepCosts): number =>
    costs.reduce((sum, one) => sum + one[step], 0) / costs.length;
  const small = costsOf((step) => mean(hot, step));
  const loads: StepCosts[] = [];
  const largeStores = createTraceStores({ localRoot: join(large, '..') }, 2 ** 40);
  const largeAddress = `/local/${relative(join(large, '..'), large)}`;
  for (let n = 0; n < LARGE_LOADS; n++) loads.push(await run.trace(largeStores, largeAddress));
  const ofLarge = costsOf((step) => median(loads.slice(1).map((one) => one[step])));
  const costs: BareCosts = { small, large: { ...ofLarge, bytes: statSync(large).size } };
  console.log(JSON.stringify(costs));
}

function costsOf(value: (step: keyof StepCosts) => number): StepCosts {
  const [statMs, readMs] = [value('statMs'), value('readMs')];
  return { statMs, readMs, parseMs: value('parseMs'), queryMs: value('queryMs') };
}

class Measured {
  readonly #processor: TraceProcessor;
  readonly #sql: Buffer;
  #sinceUs = 0;

  constructor(processor: TraceProcessor, sql: Buffer) {
    this.#processor = processor;
    this.#sql = sql;
  }

  async trace(stores: TraceStores, address: string): Promise<StepCosts> {
    const { signal } = new AbortController();
    this.#lap();
    const { generation } = await stores.stat(address, signal);
    const statMs = this.#lap();
    const chunks: Uint8Array[] = [];
    for await (const chunk of stores.read(address, { generation, signal })) chunks.push(chunk);
    const readMs = this.#lap();
    this.#processor.reset();
    for (const chunk of chunks) this.#processor.append(chunk);
    this.#processor.finalize();
    const parseMs = this.#lap();
    this.#processor.query(this.#sql, () => {});
    return { statMs, readMs, parseMs, queryMs: this.#lap() };
  }

  /** Returns the processor time since the last call, in milliseconds. */
  #lap(): number {
    const { user, system } = process.cpuUsage();
    const since = this.#sinceUs;
    this.#sinceUs = user + system;
    return (this.#sinceUs - since) / 1000;
  }
}
