/** Matches one component of a pattern with one name of a path. */

/** Matches one character of a name; `star` matches any number of characters. */
export type Token = { char: string } | 'any' | 'star' | CharacterClass;

export interface CharacterClass {
  negated: boolean;
  /** Inclusive ranges of code points. */
  ranges: readonly (readonly [number, number])[];
}

export function tokensOf(text: string): Token[] {
  const chars = [...text];
  const tokens: Token[] = [];
  let mayClose = true;
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? '';
    const charClass = char === '[' && mayClose ? classAt(chars, at) : undefined;
    if (charClass !== undefined) {
      tokens.push(charClass.token);
      at = charClass.end;
    } else if (char === '\\' && at + 1 < chars.length) {
      tokens.push({ char: chars[++at] ?? '' });
    } else if (char === '*') {
      if (tokens.at(-1) !== 'star') tokens.push('star');
    } else {
      if (char === '[') mayClose = false; // without a `]` behind this `[`, there is none behind later ones
      tokens.push(char === '?' ? 'any' : { char });
    }
  }
  return tokens;
}

/** Parses the class `[…]` at `open`. A first `]` is literal. Undefined if there is no closing bracket. */
function classAt(
  chars: readonly string[],
  open: number,
): { token: CharacterClass; end: number } | undefined {
  const negated = chars[open + 1] === '!' || chars[open + 1] === '^';
  const first = open + (negated ? 2 : 1);
  const ranges: [number, number][] = [];
  let at = first;
  const take = (): number => {
    if (chars[at] === '\\' && at + 1 < chars.length) at++;
    return chars[at++]?.codePointAt(0) ?? 0;
  };
  while (at < chars.length) {
    if (chars[at] === ']' && at > first) return { token: { negated, ranges }, end: at };
    const low = take();
    const isRange = chars[at] === '-' && at + 1 < chars.length && chars[at + 1] !== ']';
    if (isRange) at++;
    ranges.push([low, isRange ? take() : low]);
  }
  return undefined;
}

/** Whether the pattern begins with a literal dot. */
export function beginsWithDot([first]: readonly Token[]): boolean {
  return typeof first === 'object' && 'char' in first && first.char === '.';
}

/** Whether the tokens match the name. A name that begins with a dot is matched only by a literal dot. */
export function matchesName(tokens: readonly Token[], name: string): boolean {
  if (name === '' || (name.startsWith('.') && !beginsWithDot(tokens))) return false;
  return matchesTokens(tokens, [...name]);
}

/** On a mismatch only the last star takes one more character: earlier stars need not be tried again. */
function matchesTokens(tokens: readonly Token[], name: readonly string[]): boolean {
  let at = 0;
  let used = 0;
  let star = -1;
  let starUsed = 0;
  while (used < name.length) {
    const token = tokens[at];
    if (token === 'star') {
      star = at++;
      starUsed = used;
    } else if (token !== undefined && matchesChar(token, name[used] ?? '')) {
      at++;
      used++;
    } else if (star >= 0) {
      at = star + 1;
      used = ++starUsed;
    } else return false;
  }
  while (tokens[at] === 'star') at++;
  return at === tokens.length;
}

function matchesChar(token: Exclude<Token, 'star'>, char: string): boolean {
  if (token === 'any') return true;
  if ('char' in token) return token.char === char;
  const code = char.codePointAt(0) ?? 0;
  return token.negated !== token.ranges.some(([low, high]) => low <= code && code <= high);
}

/** Returns the literal characters before the first wildcard. */
export function literalOf(tokens: readonly Token[]): string[] {
  const literal: string[] = [];
  for (const token of tokens) {
    if (typeof token !== 'object' || !('char' in token)) break;
    literal.push(token.char);
  }
  return literal;
}
