/** Parses a pattern into segments, one for each name of a path. */
import { expandBraces } from './braces.ts';
import { literalOf, type Token, tokensOf } from './name.ts';

/** One component of a pattern; `globstar` is `**`. */
export type Segment = { literal: string } | { tokens: readonly Token[] } | 'globstar';

/**
 * Returns one list of segments for each alternative of the braces. Equal components share one object.
 * @throws invalid_address if the pattern has too many alternatives
 */
export function parsePattern(pattern: string): (readonly Segment[])[] {
  const cache = new Map<string, Segment>();
  const segmentOf = (text: string): Segment => {
    const parsed = cache.get(text) ?? segment(text);
    cache.set(text, parsed);
    return parsed;
  };
  return expandBraces(pattern).map((alternative) => {
    const segments = alternative.split('/').map(segmentOf);
    // A trace is a file: `a/**` matches what is in `a`, not `a` itself.
    if (segments.at(-1) === 'globstar') segments.push(segmentOf('*'));
    // `**/**` matches the same as `**`, but takes longer.
    return segments.filter((one, at) => one !== 'globstar' || segments[at - 1] !== 'globstar');
  });
}

/** Whether every name that the segment matches ends with the `!` that the pattern has there. */
export function endsWithBang(segment: Segment): boolean {
  if (segment === 'globstar') return false;
  if ('literal' in segment) return segment.literal.endsWith('!');
  const last = segment.tokens.at(-1);
  return typeof last === 'object' && 'char' in last && last.char === '!';
}

function segment(text: string): Segment {
  if (text === '**') return 'globstar';
  const tokens = tokensOf(text);
  const literal = literalOf(tokens);
  return literal.length === tokens.length ? { literal: literal.join('') } : { tokens };
}
