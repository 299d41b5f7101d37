/** A pattern as segments, one for each component of the paths that it matches. */
import { expandBraces } from './braces.ts';
import { literalOf, type Token, tokensOf } from './name.ts';

/** One component of a pattern. */
export type Segment = { literal: string } | { tokens: readonly Token[] } | 'globstar';

/**
 * One list of segments for each alternative of the pattern's braces. Equal components are one object.
 * @throws invalid_address for a pattern of too many alternatives
 */
export function parsePattern(pattern: string): (readonly Segment[])[] {
  const known = new Map<string, Segment>();
  const segmentOf = (text: string): Segment => {
    const found = known.get(text) ?? segment(text);
    known.set(text, found);
    return found;
  };
  return expandBraces(pattern).map((alternative) => {
    const segments = alternative.split('/').map(segmentOf);
    // A trace is a file: `a/**` stands for what is in a, not for a.
    if (segments.at(-1) === 'globstar') segments.push(segmentOf('*'));
    // `**/**` is `**`, and would only cost.
    return segments.filter((one, at) => one !== 'globstar' || segments[at - 1] !== 'globstar');
  });
}

function segment(text: string): Segment {
  if (text === '**') return 'globstar';
  const tokens = tokensOf(text);
  const literal = literalOf(tokens);
  return literal.length === tokens.length ? { literal: literal.join('') } : { tokens };
}
