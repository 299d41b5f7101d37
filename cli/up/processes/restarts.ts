/** How often a process that dies is started again. */

export const RESTARTS_MAX = 5;
export const RESTARTS_WINDOW_MS = 60_000;
const DELAY_MS_MAX = 5_000;

/**
 * Milliseconds to wait before the next start, given when the process died (newest last, `now` among
 * them), or undefined where it died too often within the window to be worth another.
 */
export function restartDelayMs(deathsMs: readonly number[], nowMs: number): number | undefined {
  const recent = deathsMs.filter((death) => death > nowMs - RESTARTS_WINDOW_MS).length;
  if (recent > RESTARTS_MAX) return undefined;
  // The first restart is at once; one that dies repeatedly gets time for its cause to pass.
  return recent <= 1 ? 0 : Math.min(DELAY_MS_MAX, 100 * 2 ** recent);
}
