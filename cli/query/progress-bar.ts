/** Progress of a query in one terminal line. */
import type { Progress } from '../../lib/proto/messages.ts';

const BAR_CELLS = 24;

export function progressLine(progress: Progress): string {
  const { tracesDone, tracesFailed, tracesTotal, totalIsFinal, rows } = progress;
  const { traceBytes, elapsedMs, coreMs } = progress;
  const seconds = elapsedMs / 1000;
  const done = tracesDone + tracesFailed;
  const share = tracesTotal > 0 ? done / tracesTotal : 0;
  const filled = Math.round(share * BAR_CELLS);
  const parts = [
    `${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)}`,
    `${done}/${tracesTotal}${totalIsFinal ? '' : '+'} traces`,
    `${rows} rows`,
  ];
  if (traceBytes > 0 && seconds > 0)
    parts.push(`${(traceBytes / 1e6 / seconds).toFixed(1)} MB/s read`);
  if (tracesFailed > 0) parts.push(`${tracesFailed} failed`);
  if (totalIsFinal && done > 0 && done < tracesTotal)
    parts.push(`${Math.ceil((seconds / share) * (1 - share))} s left`);
  parts.push(`${seconds.toFixed(1)} s`);
  if (coreMs > 0) parts.push(`${(coreMs / 1000).toFixed(1)} core-s`);
  return parts.join('  ');
}

/** Draws the progress on stderr if it is a terminal; otherwise does nothing. */
export class ProgressBar {
  readonly #live = process.stderr.isTTY === true;
  #drawn = false;

  draw(progress: Progress): void {
    if (!this.#live) return;
    process.stderr.write(`\r\x1b[K${progressLine(progress).slice(0, process.stderr.columns - 1)}`);
    this.#drawn = true;
  }

  /** Removes the line. Call it before printing anything else. */
  clear(): void {
    if (this.#drawn) process.stderr.write('\r\x1b[K');
    this.#drawn = false;
  }
}
