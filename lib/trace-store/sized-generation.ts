/**
 * Encodes the size of a trace in its generation. A read receives only the generation, and must detect a response that
 * is well-formed but too short.
 */
import { changed } from './failures.ts';

export interface Sized {
  /** The generation as the store reports it. */
  id: string;
  size: number | undefined;
}

export function withSize({ id, size }: Sized): string {
  return `${size ?? '?'} ${id}`;
}

/** @throws trace_changed if `withSize` did not make the generation: no trace has such a generation */
export function splitSize(generation: string): Sized {
  const match = /^(\d+|\?) (.*)$/s.exec(generation);
  if (match === null) throw changed();
  const [, size, id = ''] = match;
  return { id, size: size === '?' ? undefined : Number(size) };
}
