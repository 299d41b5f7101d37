/** Makes small traces that all differ, the same ones each time. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TraceDir } from '../traces.ts';

/** A folder has at most this number of traces. */
const FOLDER_TRACES = 1000;

/** Makes `count` ftrace texts of about 10 KB: scheduling of a few threads. */
export function distinctTextTraces(count: number): TraceDir {
  return distinct(count, textTrace);
}

/** Makes `count` Chrome JSON traces of about 4 KB. */
export function distinctJsonTraces(count: number): TraceDir {
  return distinct(count, jsonTrace);
}

function distinct(count: number, contents: (dice: Dice) => string): TraceDir {
  const dir = mkdtempSync(join(tmpdir(), 'bigtrace-fleet-'));
  const files: string[] = [];
  for (let n = 0; n < count; n++) {
    const folder = join(dir, String(Math.floor(n / FOLDER_TRACES)).padStart(4, '0'));
    if (n % FOLDER_TRACES === 0) mkdirSync(folder);
    const file = join(folder, `trace-${String(n).padStart(6, '0')}`);
    writeFileSync(file, contents(new Dice(n + 1)));
    files.push(file);
  }
  return { dir, files, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}

const LINES = 70;

export function textTrace(dice: Dice): string {
  const lines = ['# tracer: nop', '#'];
  let at = 1000 + dice.below(1000) + dice.below(1e6) / 1e6;
  let running = 100;
  for (let n = 0; n < LINES; n++) {
    at += dice.below(5000) / 1e6;
    const next = 100 + dice.below(40);
    const task = `task-${running}-${running}`.padStart(16);
    lines.push(
      `${task} [000] d..2. ${at.toFixed(6)}: sched_switch: prev_comm=task-${running} prev_pid=${running} prev_prio=120 ` +
        `prev_state=S ==> next_comm=task-${next} next_pid=${next} next_prio=120`,
    );
    running = next;
  }
  return `${lines.join('\n')}\n`;
}

const EVENTS = 55;

export function jsonTrace(dice: Dice): string {
  let ts = dice.below(1e6);
  const traceEvents = Array.from({ length: EVENTS }, () => {
    ts += 1 + dice.below(1000);
    const [pid, tid] = [1 + dice.below(3), 1 + dice.below(8)];
    return { name: `step ${dice.below(200)}`, ph: 'X', ts, dur: 1 + dice.below(500), pid, tid };
  });
  return JSON.stringify({ traceEvents });
}

/** A sequence of numbers that depends on the seed only (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** Returns an integer from 0 to `bound` - 1. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }
}
