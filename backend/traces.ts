/** The catalog bigtrace.traces as the page sees it: columns, pages, and the traces that a query is asked of. */
import { type ClickHouseSettings, SettingsMap } from '@clickhouse/client';
import { WHERE_STORE } from '../common/address.ts';
import { BigtraceError } from '../common/errors.ts';
import { addressCondition } from './address-regex.ts';
import { type Column, columnOf } from './columns.ts';
import { conditionOf, type Filter } from './conditions.ts';
import type { Database, Row } from './database.ts';
import { badRequest } from './http-error.ts';
import { orderSql, parseOrder } from './order.ts';
import { type PageRequest, pageOf } from './page.ts';
import type { Settings } from './settings.ts';
import { literal } from './sql-text.ts';
import type { WireType } from './wire-types.ts';

export const TRACES = 'bigtrace.traces';

/** Traces of a query that was given a number of them: their addresses stand in its statement. */
export const TRACE_LIMIT_MAX = 100_000;

/** What the page shows at first. */
const DEFAULT_VISIBLE = new Set([
  'link',
  'address',
  'size',
  'duration',
  'start_time',
  'error_code',
]);

const DESCRIPTIONS: Record<string, string> = {
  link: 'Opens the trace in the Perfetto UI',
  address: 'How queries name the trace',
  size: 'Bytes',
  error_code: 'Why it does not load; empty where it does',
};

export interface TraceChoice {
  settings: Settings;
  filters: Filter[];
  /** `column asc|desc`, commas between; matters with a limit only. */
  orderBy: string;
  /** 0: all. */
  limit: number;
}

export class Traces {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @param base of this server as the asker reached it: links lead back to it */
  async columns(base: string): Promise<Column[]> {
    const described = await this.#database.rows(`DESCRIBE TABLE ${TRACES}`);
    const own = described.map(([name, type]) => columnOf(name ?? '', type ?? ''));
    return [columnOf('link', 'String', linkSql(base)), ...own];
  }

  async schema(
    base: string,
  ): Promise<{ name: string; type: WireType; defaultVisible: boolean; description?: string }[]> {
    const columns = await this.columns(base);
    return columns.map(({ name, type }) => ({
      ...{ name, type, defaultVisible: DEFAULT_VISIBLE.has(name) },
      ...(DESCRIPTIONS[name] === undefined ? {} : { description: DESCRIPTIONS[name] }),
    }));
  }

  async page(
    settings: Settings,
    request: PageRequest,
    base: string,
  ): Promise<{ columns: Column[]; rows: Row[]; total: number }> {
    const columns = await this.columns(base);
    const relation = { from: TRACES, columns, key: 'address', numbered: false };
    const wanted = request.columns ?? [];
    const shown =
      wanted.length > 0
        ? wanted
        : columns.filter(({ name }) => DEFAULT_VISIBLE.has(name)).map(({ name }) => name);
    const page = pageOf(relation, { ...request, columns: shown });
    const options = { settings: catalogFilter(settings) };
    const [rows, total] = await Promise.all([
      this.#database.rows(page.rowsSql, options),
      this.#database.count(page.countSql, options),
    ]);
    return { columns: page.columns, rows, total };
  }

  async count(): Promise<number> {
    return this.#database.count(`SELECT count() FROM ${TRACES} WHERE vanished_at IS NULL`);
  }

  /**
   * What a query is asked of. Without filters the catalog need not know the traces.
   * @throws invalid_option, no_match
   */
  async addresses({ settings, filters, orderBy, limit }: TraceChoice): Promise<string[]> {
    if (limit > TRACE_LIMIT_MAX)
      throw badRequest(`trace_limit ${limit} must be <= ${TRACE_LIMIT_MAX}`);
    if (filters.length === 0 && settings.where === '' && limit === 0) return settings.addresses;
    const columns = await this.columns('');
    const condition = conditionOf(filters, columns);
    if (limit === 0) {
      const all =
        condition === 'true' ? chosenBy(settings) : `${chosenBy(settings)} AND ${condition}`;
      return [`/${WHERE_STORE}/${all}`];
    }
    const order = orderSql(orderBy.trim() === '' ? [] : parseOrder(orderBy, columns), 'address');
    const rows = await this.#database.rows(
      `SELECT address FROM ${TRACES} WHERE ${condition} ORDER BY ${order} LIMIT ${limit}`,
      { settings: catalogFilter(settings) },
    );
    if (rows.length === 0) throw new BigtraceError('no_match', 'no trace of the catalog is chosen');
    return rows.map(([address]) => address ?? '');
  }
}

/** SQL over bigtrace.traces. */
function chosenBy({ addresses, where }: Settings): string {
  const named = `(${addresses.map(addressCondition).join(' OR ')})`;
  return where === '' ? named : `${named} AND (${where})`;
}

/** ClickHouse parses it as one expression, so nothing in the asker's own can become another statement. */
export function catalogFilter(settings: Settings): ClickHouseSettings {
  const filter = `vanished_at IS NULL AND ${chosenBy(settings)}`;
  // The client itself does not escape what is in a map.
  return { additional_table_filters: SettingsMap.from({ [TRACES]: literal(filter).slice(1, -1) }) };
}

/** Perfetto's UI fetches the trace from here: a URL without a query string. */
export function linkSql(base: string, address = 'address'): string {
  const name = `encodeURLComponent(arrayElement(splitByChar('/', ${address}), -1))`;
  return `concat(${literal(`https://ui.perfetto.dev/#!/?url=${base}/trace/`)}, base64URLEncode(${address}), '/', ${name})`;
}
