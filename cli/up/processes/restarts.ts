/** Decides whether and when a process that died is restarted. */

export const RESTARTS_MAX = 5;
export const RESTARTS_WINDOW_MS = 60_000;
const DELAY_MS_MAX = 5_000;

/**
 * Returns the delay before the next start in milliseconds, or undefined if the process died too often within the
 * window.
 * @param deathsMs times of all deaths, the newest last, including the current one
 */
export function restartDelayMs(deathsMs: readonly number[], nowMs: number): number | undefined {
  const recent = deathsMs.filter((death) => death > nowMs - RESTARTS_WINDOW_MS).length;
  if (recent > RESTARTS_MAX) return undefined;
  // The first restart is immediate. Repeated ones are delayed, so that a temporary cause can pass.
  return recent <= 1 ? 0 : Math.min(DELAY_MS_MAX, 100 * 2 ** recent);
}
