/** Which traces of the catalog addresses, patterns and a `where` choose, as SQL. */
import { isPattern, parseAddress } from '../../lib/common/addresses/address.ts';
import { canonicalAddress } from '../../lib/common/addresses/canonical-address.ts';
import { CatalogFilters, TRACES } from '../../lib/common/addresses/catalog-filters.ts';
import {
  expressionsOf,
  WHERE_STORE,
  whereAddress,
} from '../../lib/common/addresses/where-address.ts';
import { escapedBytesSql, patternExpressions } from '../../lib/common/glob/re2.ts';
import { badRequest } from '../http-error.ts';
import type { Settings } from '../settings.ts';
import { literal } from './sql-text.ts';

/** Each is looked up in the catalog by itself. */
const PATTERNS_MAX = 200;

/** Parts of a statement that reads the catalog. */
export interface TraceSelection {
  /** What it reads FROM. */
  from: string;
  /** What its WHERE must have. */
  condition: string;
  /** What it ends with. */
  settings: string;
}

/** @throws invalid_option, invalid_address */
export function chosenTraces({ addresses, where }: Settings): TraceSelection {
  const filters = new CatalogFilters();
  const from = where === '' ? TRACES : filters.table(where);
  const { named, selections } = sorted(addresses);
  const any = [
    ...(named.length === 0 ? [] : [namedCondition(named)]),
    ...selections.map((expressions) => filters.condition(expressions)),
  ];
  const condition = `vanished_at IS NULL AND (${any.join(' OR ')})`;
  return { from, condition, settings: filters.settings };
}

/**
 * The same choice as addresses that the orchestrator looks up in the catalog.
 * @param further SQL over the catalog that must hold, too
 * @throws invalid_option, invalid_address
 */
export function chosenAddresses({ addresses, where }: Settings, further: string): string[] {
  const { named, selections } = sorted(addresses);
  const all = [...(where === '' ? [] : [where]), ...(further === 'true' ? [] : [further])];
  const any = [...(named.length === 0 ? [] : [[namedCondition(named)]]), ...selections];
  return any.map((expressions) => whereAddress([...expressions, ...all]));
}

/** Addresses and patterns of traces, and the expressions of each `/where/…`. */
function sorted(addresses: readonly string[]): { named: string[]; selections: string[][] } {
  const named: string[] = [];
  const selections: string[][] = [];
  for (const address of addresses) {
    const { store, path } = parseAddress(address);
    if (store === WHERE_STORE) selections.push(expressionsOf(path));
    else named.push(catalogName(address));
  }
  return { named, selections };
}

/** As the catalog has it. @throws invalid_option for a name that only the store can tell */
function catalogName(text: string): string {
  const { address, needsStore } = canonicalAddress(text, []);
  const isObjects = isPattern(text) && !text.startsWith('/local/'); // of their names nothing is decoded
  if (!needsStore || isObjects) return address;
  throw badRequest(
    `${text} is not the name that the catalog has for the trace: with where, filters or a limit, name it as a listing does, such as /local/app.pftrace`,
  );
}

/** SQL: the trace is one of those that the addresses name or the patterns match, as stores read them. */
function namedCondition(named: readonly string[]): string {
  const patterns = named.filter(isPattern);
  if (patterns.length > PATTERNS_MAX)
    throw badRequest(
      `${patterns.length} patterns cannot be combined with where, filters or a limit; the bound is ${PATTERNS_MAX}`,
    );
  const exactly = `address IN (${named.map(literal).join(', ')})`;
  return `(${[exactly, ...patterns.map(patternCondition)].join(' OR ')})`;
}

/** A pattern that names a trace to the letter is that trace alone. */
function patternCondition(pattern: string): string {
  const address = escapedBytesSql('address');
  const matched = patternExpressions(pattern).map((one) => `match(${address}, ${literal(one)})`);
  const same = `SELECT count() FROM ${TRACES} WHERE vanished_at IS NULL AND address = ${literal(pattern)}`;
  return `((${matched.join(' OR ')}) AND (${same}) = 0)`;
}
