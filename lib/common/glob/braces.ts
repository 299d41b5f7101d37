/** Expands `{a,b}` in patterns into one pattern for each alternative, as shells do. */
import { BigtraceError } from '../errors.ts';

/** Bounds of the cost of a pattern. */
const ALTERNATIVES_MAX = 1000;
const EXPANDED_CHARS_MAX = 65_536;

/** Text, or the alternatives in a pair of braces. */
type Item = string | Sequence[];

interface Sequence {
  items: Item[];
  /** The number of patterns that it expands to. */
  count: number;
}

/** An opening brace that has not been closed yet. */
interface Open {
  /** The finished alternatives, each before a comma at this depth. */
  parts: Sequence[];
  part: Sequence;
}

/**
 * Expands the braces of a pattern, in time linear in the lengths of the pattern and the result.
 * @throws invalid_address if there are too many alternatives
 */
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
    asWritten(open, '}'); // braces without a comma are literal
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

/** Adds the innermost brace and its commas as literal text. */
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

/** Adds an item. Adjacent texts are joined, so that the number of alternatives bounds the length of a sequence. */
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

function tooMany(limit: string): BigtraceError {
  return new BigtraceError('invalid_address', `the pattern's braces stand for more than ${limit}`);
}

/** Yields all expansions. The recursion is no deeper than the number of alternatives. */
function* textsOf({ items }: Sequence, from = 0, before = ''): Generator<string> {
  let text = before;
  for (let at = from; at < items.length; at++) {
    const item = items[at] ?? '';
    if (typeof item === 'string') text += item;
    else {
      for (const choice of item)
        for (const choiceText of textsOf(choice))
          yield* textsOf({ items, count: 0 }, at + 1, text + choiceText);
      return;
    }
  }
  yield text;
}
