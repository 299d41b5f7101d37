/** The traces of the baseline, which are the corpus and copies with unusual names, and the sets that queries use. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bytesFromText, textFromBytes } from '../../lib/common/text/byte-text.ts';
import assembleCorpus from '../corpus/assemble.ts';
import { CORPUS, corpusTraces } from '../corpus/index.ts';

const SMALL = 'recorded/linux/compile-c.pftrace';

/** Copies of one small trace, under names that results must contain byte for byte. */
const NAMES = [
  ...[
    'with space',
    "quote'",
    'dq"uote',
    'back\\slash',
    'tab\there',
    'new\nline',
    '日本語 🚀',
    '-dash',
  ],
  ...['glob[x]*?{a,b}', '#hash?q=1&b', '%2e%2e', textFromBytes(Buffer.from('\xff\xfe', 'latin1'))],
].map((name) => `names/${name}.pftrace`);

/** Errors in the manifest of traces that the engine never finishes loading; only the set `endless` has one of them. */
const ENDLESS = /^HANG/;

/** Traces that need gigabytes and half a minute each; the tests of the worker's limits use them. */
const TOO_DEAR = /bomb/;

/** Traces with the same rows as another one, with no rows, or added after the first digests. */
const NOT_ASKED_ALL =
  /^(bad\/(concat-|dup-|empty\.pf|gz-|json-(100k|empty|huge|negative|no|trailing)|mixed-|proto-(ends|length)|trace-gz)|handmade\/android-apps)/;

/** Traces that the engine reads only since after the first digests, with the same rows as another one. */
const YOUNGER = /^(handmade\/gzip-cpu\.|bad\/json-(bom|utf16))/;

const traces = corpusTraces().filter(({ path }) => !TOO_DEAR.test(path) && !YOUNGER.test(path));
const paths = (wanted: (trace: (typeof traces)[number]) => boolean): string[] =>
  traces.filter(wanted).map(({ path }) => path);

const SETS = {
  one: [SMALL],
  /** Traces of several formats, for queries whose results differ between formats rather than between traces. */
  few: [
    'recorded/linux/atrace-print.pftrace',
    SMALL,
    'recorded/chrome/fetch-a.pftrace',
    'handmade/handmade.fxt',
    'bad/empty.json',
  ],
  linux: paths(({ path }) => /^recorded\/(linux|other\/linux)/.test(path)),
  chrome: paths(({ path }) => path.startsWith('recorded/chrome/')),
  recorded: paths(({ path }) => path.startsWith('recorded/')),
  loading: paths(({ path, loads }) => loads && !NOT_ASKED_ALL.test(path)),
  allLoading: paths(({ loads }) => loads),
  failing: [SMALL, ...paths(({ loads, error }) => !loads && !ENDLESS.test(error))],
  endless: [SMALL, 'bad/json-counter-nan.json'],
  /** One existing and one missing trace. */
  missing: [SMALL, 'recorded/linux/absent.pftrace'],
  names: NAMES,
} as const satisfies Record<string, readonly string[]>;

export type TraceSet = keyof typeof SETS;

export function isTraceSet(name: string): name is TraceSet {
  return Object.hasOwn(SETS, name);
}

const PREFIX = '/local/';

export function addressesOf(set: TraceSet): string[] {
  return SETS[set].map((path) => PREFIX + path);
}

/** Returns the name of a trace in the digests. */
export function pathOf(address: string): string {
  return address.startsWith(PREFIX) ? address.slice(PREFIX.length) : address;
}

/** Creates a temporary directory with all traces of the baseline, to be the root of `/local`. */
export async function traceDirectory(): Promise<{ root: string } & Disposable> {
  await assembleCorpus();
  const root = mkdtempSync(join(tmpdir(), 'bigtrace-baseline-'));
  for (const { path } of traces) copy(path, path);
  for (const name of NAMES) copy(SMALL, name);
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };

  function copy(from: string, to: string): void {
    const target = bytesFromText(join(root, to));
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(join(CORPUS, from), target);
  }
}
