/** Patterns of trace addresses (docs/stores.md) as regular expressions of RE2, for the catalog. */
import { isPattern, parseAddress, WHERE_STORE } from '../common/address.ts';
import { literal } from './sql-text.ts';

/** SQL over bigtrace.traces: the traces that an address, pattern or `/where/…` stands for. */
export function addressCondition(address: string): string {
  const { store, path, text } = parseAddress(address);
  if (store === WHERE_STORE) return `(${path})`;
  const same = `address = ${literal(text)}`;
  return isPattern(text) ? `(${same} OR match(address, ${literal(addressRegex(text))}))` : same;
}

const PATH = '[^/]*';
/** A name that a wildcard in front may stand for does not begin with a dot. */
const NO_DOT = '[^/.]';
const DIRECTORIES = `(?:${NO_DOT}${PATH}/)*`;

export function addressRegex(pattern: string): string {
  const chars = [...pattern];
  let regex = '';
  let depth = 0;
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? '';
    const atStart = startsName(chars[at - 1]);
    if (char === '*' && chars[at + 1] === '*' && atStart && endsName(chars[at + 2])) {
      regex += chars[at + 2] === '/' ? DIRECTORIES : `${DIRECTORIES}${NO_DOT}${PATH}`;
      at += chars[at + 2] === '/' ? 2 : 1;
    } else if (char === '*') {
      // Behind it a dot would begin the name, were the star nothing.
      regex += atStart
        ? chars[at + 1] === '.'
          ? `${NO_DOT}${PATH}`
          : `(?:${NO_DOT}${PATH})?`
        : PATH;
    } else if (char === '?') regex += atStart ? NO_DOT : '[^/]';
    else if (char === '[') {
      const end = chars.indexOf(']', at + (/[!^]/.test(chars[at + 1] ?? '') ? 3 : 2));
      if (end < 0) regex += escaped('[');
      else {
        regex += classRegex(chars.slice(at + 1, end));
        at = end;
      }
    } else if (char === '{' && chars.indexOf('}', at) > 0) {
      regex += '(?:';
      depth++;
    } else if (char === ',' && depth > 0) regex += '|';
    else if (char === '}' && depth > 0) {
      regex += ')';
      depth--;
    } else if (char === '\\' && at + 1 < chars.length) {
      at++;
      regex += escaped(chars[at] ?? '');
    } else regex += escaped(char);
  }
  return `^${regex}${')'.repeat(depth)}$`;
}

function startsName(before: string | undefined): boolean {
  return before === '/' || before === undefined || before === '{' || before === ',';
}

function endsName(after: string | undefined): boolean {
  return after === undefined || after === '/' || after === '}' || after === ',';
}

function classRegex(members: readonly string[]): string {
  const inverted = members[0] === '!' || members[0] === '^';
  const rest = inverted ? members.slice(1) : members;
  const inside = rest
    .map((char, at) => (char === '-' && at > 0 && at < rest.length - 1 ? '-' : escaped(char)))
    .join('');
  return inverted ? `[^/${inside}]` : `[${inside}]`;
}

function escaped(char: string): string {
  return /[\w/ -]/.test(char) && char !== '-'
    ? char
    : `\\x{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}
