/**
 * Writes log lines and terminal messages. A line that cannot be written (the disk is full, the reader has gone, no
 * descriptor is left) is dropped and counted: a failed write neither ends the process nor is repeated. As soon as a
 * write succeeds again, a note says how many lines are missing.
 */
import { writeSync } from 'node:fs';

const NEWLINE = 0x0a;

/** Writes at least one of `bytes`, and returns how many. @throws if it cannot write */
export type WriteSome = (bytes: Uint8Array) => number;

/** Returns the line, without a newline, that replaces dropped lines. */
export type DroppedNote = (lines: number, reason: string) => string;

export class LossyWriter {
  readonly #writeSome: WriteSome;
  readonly #note: DroppedNote;
  #dropped = 0;
  #reason = '';
  #atLineStart = true;

  constructor(writeSome: WriteSome, note: DroppedNote) {
    this.#writeSome = writeSome;
    this.#note = note;
  }

  /** Lines dropped since the last note. */
  get dropped(): number {
    return this.#dropped;
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (bytes.length === 0) return;
    if (this.#dropped > 0) {
      const note = `${this.#atLineStart ? '' : '\n'}${this.#note(this.#dropped, this.#reason)}\n`;
      if (this.#tryWrite(Buffer.from(note)) === undefined) this.#dropped = 0;
    }
    const unwritten = this.#dropped > 0 ? bytes : this.#tryWrite(bytes);
    if (unwritten !== undefined) this.#dropped += lineCount(unwritten);
  }

  /** Returns what could not be written, or undefined. */
  #tryWrite(bytes: Uint8Array): Uint8Array | undefined {
    let at = 0;
    try {
      while (at < bytes.length) {
        at += this.#writeSome(bytes.subarray(at));
        this.#atLineStart = bytes[at - 1] === NEWLINE;
      }
      return undefined;
    } catch (error) {
      this.#reason = error instanceof Error ? error.message : String(error);
      return bytes.subarray(at);
    }
  }
}

/** Counts lines. A last line without a newline counts too. */
function lineCount(bytes: Uint8Array): number {
  let lines = bytes[bytes.length - 1] === NEWLINE ? 0 : 1;
  for (const byte of bytes) if (byte === NEWLINE) lines++;
  return lines;
}

/** Returns a line of a JSON log that replaces dropped lines. */
export function droppedLogLine(service: string, lines: number, reason: string): string {
  const msg = `log lines dropped: ${lines} (${reason})`;
  return JSON.stringify({ level: 40, time: new Date().toISOString(), service, msg });
}

/** Returns a writer to a descriptor of this process: 1 (stdout) or 2 (stderr). */
export function lossyOutput(
  fd: number,
  note: DroppedNote = (lines, reason) => `bigtrace: lines dropped: ${lines} (${reason})`,
): LossyWriter {
  return new LossyWriter((bytes) => writeSync(fd, bytes), note);
}
