/** SQL that selects traces of the catalog by addresses, patterns and a `where` expression. */
import { isPattern, parseAddress } from '../../lib/common/addresses/address.ts';
import { canonicalAddress } from '../../lib/common/addresses/canonical-address.ts';
import { CatalogFilters, TRACES } from '../../lib/common/addresses/catalog-filters.ts';
import {
  expressionsOf,
  WHERE_STORE,
  whereAddress,
} from '../../lib/common/addresses/where-address.ts';
import { escapedBytesSql, patternConditionSql } from '../../lib/common/glob/re2.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { badRequest } from '../http-error.ts';
import type { Settings } from '../settings.ts';

/** Each pattern adds its own condition to the statement. */
const PATTERNS_MAX = 200;

/** Parts of a SELECT statement over the catalog. */
export interface TraceSelection {
  /** The FROM clause. */
  from: string;
  /** Condition for the WHERE clause. */
  condition: string;
  /** SETTINGS clause at the end, or empty. */
  settings: string;
}

/** Selects the traces within ClickHouse. @throws invalid_option, invalid_address */
export function chosenTraces({ addresses, where }: Settings): TraceSelection {
  const filters = new CatalogFilters();
  const from = where === '' ? TRACES : filters.table(where);
  const { named, selections } = sorted(addresses);
  const any = [
    ...(named.length === 0 ? [] : [namedCondition(named)]),
    ...selections.map((expressions) => filters.condition(expressions)),
  ];
  const isChosen = any.length === 0 ? 'true' : any.join(' OR ');
  const condition = `vanished_at IS NULL AND (${isChosen})`;
  return { from, condition, settings: filters.settings };
}

/**
 * Expresses the selection as `/where/…` addresses, which the orchestrator looks up in the catalog.
 * @param further SQL condition over the catalog that must hold as well
 * @throws invalid_option, invalid_address
 */
export function chosenAddresses({ addresses, where }: Settings, further: string): string[] {
  const { named, selections } = sorted(addresses);
  const all = [...(where === '' ? [] : [where]), ...(further === 'true' ? [] : [further])];
  const any = [...(named.length === 0 ? [] : [[namedCondition(named)]]), ...selections];
  if (any.length === 0) return [whereAddress(all.length === 0 ? ['true'] : all)];
  return any.map((expressions) => whereAddress([...expressions, ...all]));
}

/** Separates trace addresses and patterns from the expressions of each `/where/…`. */
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

/** Returns the address as the catalog stores it. @throws invalid_option if only the store could resolve it */
function catalogName(text: string): string {
  const { address, needsStore } = canonicalAddress(text, []);
  const isObjects = isPattern(text) && !text.startsWith('/local/'); // object store patterns are not URL-decoded
  if (!needsStore || isObjects) return address;
  throw badRequest(
    `${text} is not the canonical address of the trace: with where, filters, an order or a limit, use the address that a listing returns, such as /local/app.pftrace`,
  );
}

/** SQL condition: one of the addresses names the trace, or a pattern matches it, by the rules of the stores. */
function namedCondition(named: readonly string[]): string {
  const patterns = named.filter(isPattern);
  if (patterns.length > PATTERNS_MAX)
    throw badRequest(
      `${patterns.length} patterns cannot be combined with where, filters, an order or a limit; the bound is ${PATTERNS_MAX}`,
    );
  const exactly = `address IN (${named.map(literal).join(', ')})`;
  return `(${[exactly, ...patterns.map(patternCondition)].join(' OR ')})`;
}

/**
 * SQL condition of a pattern. If a trace with exactly this address exists, it means that trace, which namedCondition
 * selects.
 */
function patternCondition(pattern: string): string {
  const matched = patternConditionSql(pattern, escapedBytesSql('address'));
  const same = `SELECT count() FROM ${TRACES} WHERE vanished_at IS NULL AND address = ${literal(pattern)}`;
  return `(${matched} AND (${same}) = 0)`;
}
