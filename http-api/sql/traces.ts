/** Reads the catalog bigtrace.traces for the page: columns, pages, and the traces that a query addresses. */

import type { Row } from '../../lib/clickhouse/client.ts';
import { TRACES } from '../../lib/common/addresses/catalog-filters.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { type Reader, readerFor } from '../caller.ts';
import type { Filter, MetadataColumn, PageRequest } from '../contract/page.ts';
import { badRequest } from '../http-error.ts';
import { type Column, columnOf } from '../queries/columns.ts';
import type { Settings } from '../settings.ts';
import { chosenAddresses, chosenTraces } from './chosen-traces.ts';
import { conditionOf } from './conditions.ts';
import { orderSql, parseOrder } from './order.ts';
import { pageOf } from './page.ts';

export { TRACES } from '../../lib/common/addresses/catalog-filters.ts';

/** Bound on the trace limit of a query. The statement contains the addresses of all selected traces. */
const TRACE_LIMIT_MAX = 100_000;

/** Columns that the page shows by default. */
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
  error_code: 'Error of a trace that cannot be loaded; otherwise empty',
};

export interface TraceChoice {
  settings: Settings;
  filters: Filter[];
  /** `column asc|desc`, separated by commas; used only with a limit. */
  orderBy: string;
  /** Maximum number of traces; 0 for all. */
  limit: number;
}

export class Traces {
  readonly #database: Reader;
  readonly #catalog: Reader;

  /** @param catalog logs in as a user who may read only the catalog, because it runs expressions of users */
  constructor(database: Reader, catalog: Reader) {
    this.#database = database;
    this.#catalog = catalog;
  }

  /** Returns the same catalog, whose queries end in ClickHouse when the signal is aborted. */
  for(signal: AbortSignal): Traces {
    return new Traces(readerFor(this.#database, signal), readerFor(this.#catalog, signal));
  }

  /** @param base URL of this server as the client addressed it, for links */
  async columns(base: string): Promise<Column[]> {
    const described = await this.#database.rows(`DESCRIBE TABLE ${TRACES}`);
    const own = described.map(([name, type]) => columnOf(name ?? '', type ?? ''));
    return [columnOf('link', 'String', linkSql(base)), ...own];
  }

  async schema(base: string): Promise<MetadataColumn[]> {
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
    const { from, condition, settings: end } = chosenTraces(settings);
    const relation = { from, condition, columns, key: 'address', numbered: false };
    const names = request.columns ?? [];
    const shown =
      names.length > 0
        ? names
        : columns.filter(({ name }) => DEFAULT_VISIBLE.has(name)).map(({ name }) => name);
    const page = pageOf(relation, { ...request, columns: shown });
    const [rows, total] = await Promise.all([
      this.#catalog.rows(page.rowsSql + end),
      this.#catalog.count(page.countSql + end),
    ]);
    return { columns: page.columns, rows, total };
  }

  /** Has ClickHouse check the expressions of the selection. @throws invalid_option, invalid_address, invalid_filter */
  async check(settings: Settings): Promise<void> {
    const { from, condition, settings: end } = chosenTraces(settings);
    await this.#catalog.rows(`SELECT '' FROM ${from} WHERE ${condition} LIMIT 0${end}`);
  }

  async count(): Promise<number> {
    return this.#database.count(`SELECT count() FROM ${TRACES} WHERE vanished_at IS NULL`);
  }

  /**
   * Resolves a selection to the addresses of a query. Without filters, `where` and limit they are passed on unchanged,
   * and the traces need not be in the catalog.
   * @throws invalid_option, invalid_address, no_match
   */
  async addresses({ settings, filters, orderBy, limit }: TraceChoice): Promise<string[]> {
    if (limit > TRACE_LIMIT_MAX)
      throw badRequest(`trace_limit ${limit} must be <= ${TRACE_LIMIT_MAX}`);
    const isNamed = settings.addresses.length > 0 && settings.where === '';
    if (isNamed && filters.length === 0 && limit === 0) return settings.addresses;
    const columns = await this.columns('');
    const further = conditionOf(filters, columns);
    if (limit === 0) return chosenAddresses(settings, further);
    const order = orderSql(parseOrder(orderBy, columns), 'address');
    const { from, condition, settings: end } = chosenTraces(settings);
    const rows = await this.#catalog.rows(
      `SELECT hex(address) FROM ${from} WHERE ${condition} AND ${further} ORDER BY ${order} LIMIT ${limit}${end}`,
    );
    if (rows.length === 0)
      throw new BigtraceError(
        'no_match',
        'the selection matches no trace of the catalog; run bigtrace index to fill it',
      );
    return rows.map(([address]) => textFromBytes(Buffer.from(address ?? '', 'hex')));
  }
}

/**
 * SQL for a link that opens the trace in the Perfetto UI: a page of this server hands it over, because the UI fetches
 * traces from few origins only.
 */
export function linkSql(base: string, address = 'address'): string {
  return `concat(${literal(`${base}/open/`)}, base64URLEncode(${address}))`;
}
