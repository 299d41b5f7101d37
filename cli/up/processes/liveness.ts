/** Detects processes that hang, by pings and by their processor time. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asBigtraceError } from '../../../lib/common/errors.ts';

/** Resolves if the process answers. Throws the reason otherwise, at the latest when `signal` is aborted. */
export type Ping = (signal: AbortSignal) => Promise<void>;

export interface LivenessTimes {
  pingEveryMs: number;
  pingMsMax: number;
}

const TIMES: LivenessTimes = { pingEveryMs: 1_500, pingMsMax: 3_000 };

/**
 * Number of unanswered pings in a row after which a process counts as hung. A process that uses the processor may be
 * busy and gets more; one that is stopped or deadlocked uses none. Pings are counted, instead of time, because the
 * machine may have slept.
 */
const SILENT_PINGS_MAX = 3;
const BUSY_PINGS_MAX = 15;

/** Processor time between two pings, in milliseconds, from which a process counts as busy. */
const BUSY_MS = 200;

export interface Silence {
  pings: number;
  /** Unanswered pings during which the process was busy. */
  busyPings: number;
}

export const NO_SILENCE: Silence = { pings: 0, busyPings: 0 };

export function silenceAfter(before: Silence, responded: boolean, computedMs: number): Silence {
  if (responded) return NO_SILENCE;
  const busy = computedMs >= BUSY_MS ? 1 : 0;
  return { pings: before.pings + 1, busyPings: before.busyPings + busy };
}

export function isHung({ pings, busyPings }: Silence): boolean {
  return pings - busyPings >= SILENT_PINGS_MAX || pings >= BUSY_PINGS_MAX;
}

/** Resolves with the last ping's failure when the process hangs. Rejects when `signal` is aborted. */
export async function untilHung(
  ping: Ping,
  pid: number,
  signal: AbortSignal,
  { pingEveryMs, pingMsMax }: LivenessTimes = TIMES,
): Promise<string> {
  let silence = NO_SILENCE;
  let computedMs = processorMs(pid);
  for (;;) {
    await sleep(pingEveryMs, undefined, { signal });
    const timeout = AbortSignal.timeout(pingMsMax);
    const failure = await ping(timeout).then(
      () => undefined,
      (error: unknown) =>
        timeout.aborted ? `no response for ${pingMsMax / 1000} s` : asBigtraceError(error).message,
    );
    signal.throwIfAborted();
    const nowMs = processorMs(pid);
    silence = silenceAfter(silence, failure === undefined, nowMs - computedMs);
    computedMs = nowMs;
    if (failure !== undefined && isHung(silence)) return failure;
  }
}

/**
 * Processor time of a process: fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms. They are counted from after the
 * name, which may contain anything.
 */
function processorMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0; // the process has ended, which is detected elsewhere
  }
}
