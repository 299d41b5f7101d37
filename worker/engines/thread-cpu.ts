/** Reads the processor time of one thread of this process from Linux's /proc. */
import { readFileSync, readlinkSync } from 'node:fs';

/** The kernel reports times to programs in units of 10 ms (USER_HZ), whatever its own clock frequency is. */
const TICK_MS = 10;
/** Positions of user and system time in /proc/…/stat, counted after the name of the program. */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** Returns the kernel's ID of the calling thread; 0 without /proc/thread-self. */
export function ownThreadNumber(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || 0;
  } catch {
    return 0;
  }
}

/**
 * Returns the processor time of a thread in milliseconds; undefined if it cannot be read. The kernel writes the text at once,
 * so reading it takes less than a call that waits in Node's thread pool.
 */
export function threadCpuMs(thread: number): number | undefined {
  const text = thread === 0 ? undefined : statText(thread);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
  return Number.isFinite(ticks) ? ticks * TICK_MS : undefined;
}

function statText(thread: number): string | undefined {
  try {
    return readFileSync(`/proc/self/task/${thread}/stat`, 'latin1');
  } catch {
    return undefined; // the thread has ended
  }
}
