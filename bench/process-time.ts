/** Reads the processor time of a process, which depends less on what else the machine does than elapsed time. */
import { readFileSync } from 'node:fs';

/** The kernel reports times in units of 10 ms (USER_HZ). */
const TICK_MS = 10;
/** Position of the user time in /proc/PID/stat, counted after the name of the program. */
const USER_TIME = 11;
/** User and system time, and those of the children that have ended. */
const TIMES = 4;

/** Returns the processor time so far of a process and of its children that have ended, in milliseconds. */
export function processMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(USER_TIME, USER_TIME + TIMES);
  return ticks.reduce((sum, each) => sum + Number(each), 0) * TICK_MS;
}
