/** `{a,b}` in patterns: written out as shells do it, into one pattern for each choice. */
import { BigtraceError } from '../errors.ts';

/** They bound what a pattern can cost. */
const ALTERNATIVES_MAX = 1000;
const EXPANDED_CHARS_MAX = 65_536;

/** Text, or the sequences among which a pair of braces lets choose. */
type Item = string | Sequence[];

interface Sequence {
  items: Item[];
  /** How many patterns it stands for. */
  count: number;
}

/** A brace that was opened and not closed yet. */
interface Open {
  /** Behind commas at its own depth. */
  parts: Sequence[];
  part: Sequence;
}

/** In time that grows with the length of pattern and answer. @throws invalid_address for a pattern of too many alternatives */
export function expandBraces(pattern: string): string[] {
  const whole = parse(pattern);
  if (whole.count === 1) return [pattern];
  const done = new Set<string>();
  let chars = 0;
  for (const text of textsOf(whole)) {
    if (done.size < done.add(text).size) chars += text.length;
    if (chars > EXPANDED_CHARS_MAX) throw tooMany(`${EXPANDED_CHARS_MAX} characters`);
  }
  return [...done];
}

function parse(pattern: string): Sequence {
  const open: Open[] = [{ parts: [], part: empty() }];
  let plainFrom = 0;
  const takePlain = (upTo: number): void => {
    add(open.at(-1)?.part, pattern.slice(plainFrom, upTo));
    plainFrom = upTo + 1;
  };
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at];
    const innermost = open.at(-1);
    if (char === '\\') at++;
    else if (char === '{') {
      takePlain(at);
      open.push({ parts: [], part: empty() });
    } else if (char === ',' && open.length > 1 && innermost !== undefined) {
      takePlain(at);
      innermost.parts.push(innermost.part);
      innermost.part = empty();
    } else if (char === '}' && open.length > 1) {
      takePlain(at);
      closeInnermost(open);
    }
  }
  takePlain(pattern.length);
  while (open.length > 1) asWritten(open, '');
  return open[0]?.part ?? empty();
}

const empty = (): Sequence => ({ items: [], count: 1 });

function closeInnermost(open: Open[]): void {
  if (open.at(-1)?.parts.length === 0) {
    asWritten(open, '}'); // a brace without a comma means itself
    return;
  }
  const group = open.pop();
  const around = open.at(-1)?.part;
  if (group === undefined || around === undefined) return;
  const choices = [...group.parts, group.part];
  add(around, choices);
  multiply(
    around,
    choices.reduce((sum, { count }) => sum + count, 0),
  );
}

/** The innermost brace, and its commas, are text. */
function asWritten(open: Open[], end: string): void {
  const brace = open.pop();
  const around = open.at(-1)?.part;
  if (brace === undefined || around === undefined) return;
  const sequences = [...brace.parts, brace.part];
  for (const [nth, { items, count }] of sequences.entries()) {
    add(around, nth === 0 ? '{' : ',');
    for (const item of items) add(around, item);
    multiply(around, count);
  }
  add(around, end);
}

/** Texts that follow each other are one, so that a sequence is no longer than its choices are many. */
function add(sequence: Sequence | undefined, item: Item): void {
  const items = sequence?.items ?? [];
  const last = items.at(-1);
  if (typeof item === 'string' && typeof last === 'string') items[items.length - 1] = last + item;
  else if (item !== '') items.push(item);
}

function multiply(sequence: Sequence, by: number): void {
  sequence.count *= by;
  if (sequence.count > ALTERNATIVES_MAX) throw tooMany(`${ALTERNATIVES_MAX} patterns`);
}

function tooMany(what: string): BigtraceError {
  return new BigtraceError('invalid_address', `the pattern's braces stand for more than ${what}`);
}

/** Groups lie in each other less deep than there are alternatives. */
function* textsOf({ items }: Sequence, from = 0, before = ''): Generator<string> {
  let text = before;
  for (let at = from; at < items.length; at++) {
    const item = items[at] ?? '';
    if (typeof item === 'string') text += item;
    else {
      for (const choice of item)
        for (const chosen of textsOf(choice))
          yield* textsOf({ items, count: 0 }, at + 1, text + chosen);
      return;
    }
  }
  yield text;
}
