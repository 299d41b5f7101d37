/**
 * A generation that carries the size: a read is asked for by its generation alone, and must notice an
 * answer that is well-formed but too short.
 */
import { changed } from './failures.ts';

export interface Sized {
  /** The store's own word for the generation. */
  id: string;
  size: number | undefined;
}

export function withSize({ id, size }: Sized): string {
  return `${size ?? '?'} ${id}`;
}

/** @throws trace_changed for one that is not of our making: no trace has it */
export function splitSize(generation: string): Sized {
  const match = /^(\d+|\?) (.*)$/s.exec(generation);
  if (match === null) throw changed();
  const [, size, id = ''] = match;
  return { id, size: size === '?' ? undefined : Number(size) };
}
