/** Processor time of one thread of this process, as Linux tells it. */
import { readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** The kernel reports times to programs in these, whatever its own clock does. */
const TICK_MS = 10;
/** Fields of /proc/…/stat after the name of the program: user and system time. */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** The kernel's number for the calling thread; 0 where it has none to tell. */
export function ownThreadNumber(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || 0;
  } catch {
    return 0;
  }
}

export async function threadCpuMs(thread: number): Promise<number | undefined> {
  if (thread === 0) return undefined;
  const text = await readFile(`/proc/self/task/${thread}/stat`, 'latin1').catch(() => undefined);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
  return Number.isFinite(ticks) ? ticks * TICK_MS : undefined;
}
