/** Translates SQLite's GLOB, which the page's filters use, to a RE2 regular expression for ClickHouse. */

const ANY = '[\\x{0}-\\x{10FFFF}]';
const NONE = '[^\\x{0}-\\x{10FFFF}]';

/**
 * The expression matches whole texts. A pattern with an unclosed class matches nothing, as in SQLite's
 * patternCompare().
 */
export function globRegex(pattern: string): string {
  const chars = [...pattern];
  let regex = '';
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? '';
    if (char === '*') regex += `${ANY}*`;
    else if (char === '?') regex += ANY;
    else if (char === '[') {
      const charClass = classAt(chars, at + 1);
      if (charClass === undefined) return NONE;
      regex += charClass.regex;
      at = charClass.end;
    } else regex += codePoint(char);
  }
  return `^${regex}$`;
}

/** Parses the class whose first character is at `at`. `end` is the index of its `]`; undefined if it is not closed. */
function classAt(chars: readonly string[], at: number): { regex: string; end: number } | undefined {
  let next = at;
  const inverted = chars[next] === '^';
  if (inverted) next++;
  let members = '';
  if (chars[next] === ']') {
    members += codePoint(']');
    next++;
  }
  let prior: string | undefined;
  for (; next < chars.length && chars[next] !== ']'; next++) {
    const char = chars[next] ?? '';
    const last = chars[next + 1];
    if (char === '-' && prior !== undefined && last !== undefined && last !== ']') {
      if (last >= prior) members += `-${codePoint(last)}`;
      prior = undefined;
      next++;
    } else {
      members += codePoint(char);
      prior = char;
    }
  }
  if (next >= chars.length) return undefined;
  if (members === '') return { regex: inverted ? ANY : NONE, end: next };
  return { regex: `[${inverted ? '^' : ''}${members}]`, end: next };
}

function codePoint(char: string): string {
  return `\\x{${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
}
