/** The load of the simulation: which query begins when, and how much work it is. */
import { readFileSync } from 'node:fs';

export interface Query {
  /** Second at which it is asked. */
  second: number;
  traces: number;
  /** Seconds of a thread that each trace takes. */
  secondsPerTrace: number;
}

/** Reads a file with a line of names, then one query a line: second, traces, seconds per trace; by their seconds. */
export function readLoad(path: string): Query[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [second = 0, traces = 0, secondsPerTrace = 0] = line.split('\t').map(Number);
      return { second, traces, secondsPerTrace };
    });
}
