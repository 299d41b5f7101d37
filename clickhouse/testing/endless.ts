/** For tests: queries whose script never ends by itself. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type TestEngine } from './engine.ts';

let scripts = 0;

/**
 * Creates a query whose script sends one row and then heartbeats forever. `pid` returns the process ID of the script.
 */
export function endless(t: TestEngine): { query: string; pid: () => Promise<number> } {
  const file = join(t.scratch, `pid-${scripts++}`);
  const commands = `row /local/a a=1; echo $$ >"${file}"; while beat; do sleep 0.3; done`;
  return {
    query: `SELECT count() FROM ${call('a Nullable(Int64)', commands)}`,
    pid: async () => {
      while (!existsSync(file) || readFileSync(file, 'utf8') === '') await sleep(10);
      return Number(readFileSync(file, 'utf8'));
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Resolves when the process has ended. */
export async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(10);
}
