/** When a process that runs is taken for one that never answers again: it is asked, and its processor time is read. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asBigtraceError } from '../../../lib/common/errors.ts';

/** Whether it answers; what keeps it from that is thrown, at the latest when `signal` is aborted. */
export type Ping = (signal: AbortSignal) => Promise<void>;

export interface LivenessTimes {
  pingEveryMs: number;
  pingMsMax: number;
}

const TIMES: LivenessTimes = { pingEveryMs: 1_500, pingMsMax: 3_000 };

/**
 * Pings in a row without an answer. They are counted, and the clock is not read, for a machine that slept. One
 * that computes meanwhile may be busy, and has more time; one that is stopped or waits for itself does not compute.
 */
const SILENT_PINGS_MAX = 3;
const BUSY_PINGS_MAX = 15;

/** What it needs of the processor, from one ping to the next, to be taken for busy. */
const BUSY_MS = 200;

export interface Silence {
  pings: number;
  /** Of these: while it computed. */
  busyPings: number;
}

export const NO_SILENCE: Silence = { pings: 0, busyPings: 0 };

export function silenceAfter(before: Silence, answered: boolean, computedMs: number): Silence {
  if (answered) return NO_SILENCE;
  const busy = computedMs >= BUSY_MS ? 1 : 0;
  return { pings: before.pings + 1, busyPings: before.busyPings + busy };
}

export function isHung({ pings, busyPings }: Silence): boolean {
  return pings - busyPings >= SILENT_PINGS_MAX || pings >= BUSY_PINGS_MAX;
}

/** Resolves with what the last ping failed with, when the process hangs; rejects when `signal` is aborted. */
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
        timeout.aborted ? `silent for ${pingMsMax / 1000} s` : asBigtraceError(error).message,
    );
    signal.throwIfAborted();
    const nowMs = processorMs(pid);
    silence = silenceAfter(silence, failure === undefined, nowMs - computedMs);
    computedMs = nowMs;
    if (failure !== undefined && isHung(silence)) return failure;
  }
}

/** Fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms, counted after the name, which may hold anything. */
function processorMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0; // it has just ended, which is noticed elsewhere
  }
}
