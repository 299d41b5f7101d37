/** `{a,b}` in patterns. */
import { BigtraceError } from '../common/errors.ts';

/** `{…}` is written out, as shells do it; this bounds what a hostile pattern can cost. */
const ALTERNATIVES_MAX = 1000;

/** @throws invalid_address for a pattern of too many alternatives */
export function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const pending = [pattern];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const brace = firstBrace(next);
    if (brace === undefined) done.push(next);
    else pending.push(...brace.toReversed());
    if (done.length + pending.length > ALTERNATIVES_MAX)
      throw new BigtraceError(
        'invalid_address',
        `the pattern's braces stand for more than ${ALTERNATIVES_MAX} patterns`,
      );
  }
  return [...new Set(done)];
}

/** The pattern once for each alternative of its first `{…,…}`; a brace without a comma means itself. */
function firstBrace(pattern: string): string[] | undefined {
  for (let open = nextBrace(pattern, 0); open >= 0; open = nextBrace(pattern, open + 1)) {
    const commas: number[] = [];
    let depth = 0;
    for (let at = open; at < pattern.length; at++) {
      const char = pattern[at];
      if (char === '\\') at++;
      else if (char === '{') depth++;
      else if (char === ',' && depth === 1) commas.push(at);
      else if (char === '}' && --depth === 0) {
        if (commas.length === 0) break;
        const ends = [...commas, at];
        return ends.map((end, nth) => {
          const begin = nth === 0 ? open + 1 : (ends[nth - 1] ?? 0) + 1;
          return pattern.slice(0, open) + pattern.slice(begin, end) + pattern.slice(at + 1);
        });
      }
    }
  }
  return undefined;
}

function nextBrace(pattern: string, from: number): number {
  for (let at = from; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++;
    else if (pattern[at] === '{') return at;
  }
  return -1;
}
