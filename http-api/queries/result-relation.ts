/** What a page of results is read from: the table of the query, joined with the catalog if the request needs it. */
import { identifier } from '../../lib/common/text/sql-literal.ts';
import type { PageRequest } from '../contract/page.ts';
import type { Relation } from '../sql/page.ts';
import { linkSql, TRACES } from '../sql/traces.ts';
import type { Column } from './columns.ts';
import type { Execution } from './history.ts';
import { tableOf } from './plan.ts';
import { ROW_NUMBER, type Table } from './runs.ts';

const ADDRESS = '_trace_address';
const OF_TABLE = `r.${identifier(ADDRESS)}`;

export interface ResultRelation {
  relation: Relation;
  /** The columns of the table, and those of the catalog that it does not have. */
  available: Column[];
}

/**
 * @param catalog columns of the catalog
 * @param base URL of this server as the client addressed it, for links
 */
export function resultRelation(
  execution: Execution,
  { columns }: Table,
  request: PageRequest,
  { catalog, base }: { catalog: readonly Column[]; base: string },
): ResultRelation {
  const joined = catalogColumns(execution, columns, catalog, base);
  const available = [...columns, ...joined.filter(({ name }) => name !== 'address')];
  const key = identifier(ROW_NUMBER);
  if (!joined.some(({ name }) => isNamed(name, request)))
    return { relation: { from: tableOf(execution), columns, key, numbered: true }, available };
  const own = columns.map((one) => ({ ...one, value: `r.${identifier(one.name)}` }));
  const from = `${tableOf(execution)} AS r
    LEFT JOIN (SELECT * FROM ${TRACES}) AS m ON m.address = ${OF_TABLE}`;
  return {
    relation: { from, columns: [...own, ...joined], key: `r.${key}`, numbered: true },
    available,
  };
}

/** The columns of the catalog that the table does not have. Their names differ from those of the table. */
function catalogColumns(
  { snapshot }: Execution,
  own: readonly Column[],
  catalog: readonly Column[],
  base: string,
): Column[] {
  const stored = new Set(snapshot.traceMetadataColumns);
  const usedNames = new Set(own.map(({ name }) => name));
  return catalog
    .filter(({ name }) => name === 'address' || !stored.has(name))
    .map((column) => ({
      ...column,
      name: distinctName(column.name, usedNames),
      value: catalogValue(column.name, base),
    }));
}

function catalogValue(name: string, base: string): string {
  if (name === 'link') return linkSql(base, OF_TABLE);
  return name === 'address' ? OF_TABLE : `m.${identifier(name)}`;
}

/** A name for a column of the catalog that is none of the names taken so far, to which it is added. */
export function distinctName(name: string, usedNames: Set<string>): string {
  let distinct = name;
  while (usedNames.has(distinct)) distinct = `trace_${distinct}`;
  usedNames.add(distinct);
  return distinct;
}

function isNamed(
  name: string,
  { columns = [], filters = [], order_by = '' }: PageRequest,
): boolean {
  return (
    columns.includes(name) || filters.some(({ field }) => field === name) || order_by.includes(name)
  );
}
