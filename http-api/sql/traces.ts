/** Reads the catalog bigtrace.traces for the page: columns, pages, and the traces that a query addresses. */

import type { Row } from '../../lib/clickhouse/client.ts';
import { parseAddress } from '../../lib/common/addresses/address.ts';
import { TRACES } from '../../lib/common/addresses/catalog-filters.ts';
import { WHERE_STORE } from '../../lib/common/addresses/where-address.ts';
import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import { textFromHex } from '../../lib/common/text/byte-text.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { type Reader, readerFor } from '../caller.ts';
import type { Filter, MetadataColumn, PageRequest, Preset } from '../contract/page.ts';
import { badRequest } from '../http-error.ts';
import { type Column, columnOf } from '../queries/columns.ts';
import type { Settings } from '../settings.ts';
import { chosenAddresses, chosenTraces } from './chosen-traces.ts';
import { conditionOf } from './conditions.ts';
import {
  lacksParts,
  type ManifestColumn,
  manifestColumns,
  withManifestPresets,
} from './manifest-parts.ts';
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
  /** `column asc|desc`, separated by commas: the order in which the traces are queried, and chosen if there is a limit. */
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
    const added = await manifestColumns(this.#database);
    return columns.map(({ name, type }) => {
      const description = DESCRIPTIONS[name] ?? added.get(name)?.description ?? '';
      return {
        ...{ name, type, defaultVisible: isVisible(name, added) },
        ...(description === '' ? {} : { description }),
      };
    });
  }

  /** Adds the presets of manifests. If the database cannot be reached, or lacks their table, returns only the others. */
  async presets(others: readonly Preset[], log: Pick<Logger, 'warn'>): Promise<Preset[]> {
    try {
      return await withManifestPresets(others, this.#database);
    } catch (thrown) {
      if (asBigtraceError(thrown).code !== 'catalog_failed' && !lacksParts(thrown)) throw thrown;
      log.warn({ err: thrown }, 'the presets of manifests are left out');
      return [...others];
    }
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
    const shown = names.length > 0 ? names : await this.#visible(columns);
    const page = pageOf(relation, { ...request, columns: shown });
    const [rows, total] = await Promise.all([
      this.#catalog.rows(page.rowsSql + end),
      this.#catalog.count(page.countSql + end),
    ]);
    return { columns: page.columns, rows, total };
  }

  async #visible(columns: readonly Column[]): Promise<string[]> {
    const added = await manifestColumns(this.#database);
    return columns.map(({ name }) => name).filter((name) => isVisible(name, added));
  }

  /** Has ClickHouse check the expressions of the selection. @throws invalid_option, invalid_address, invalid_filter */
  async check(settings: Settings): Promise<void> {
    const { from, condition, settings: end } = chosenTraces(settings);
    await this.#catalog.rows(`SELECT '' FROM ${from} WHERE ${condition} LIMIT 0${end}`);
  }

  async count(): Promise<number> {
    return this.#database.count(`SELECT count() FROM ${TRACES} WHERE vanished_at IS NULL`);
  }

  /** How many traces of the catalog these `/where/…` addresses select. @throws invalid_filter */
  async countOf(addresses: readonly string[]): Promise<number> {
    const all = { addresses: [...addresses], where: '', strict: false, timeoutS: 0 };
    const { from, condition, settings } = chosenTraces(all);
    return this.#catalog.count(`SELECT count() FROM ${from} WHERE ${condition}${settings}`);
  }

  /**
   * Resolves a selection to the addresses of a query. Without filters, `where`, order and limit they are passed on
   * unchanged, and the traces need not be in the catalog.
   * @throws invalid_option, invalid_address, invalid_filter, no_match
   */
  async addresses({ settings, filters, orderBy, limit }: TraceChoice): Promise<string[]> {
    if (limit > TRACE_LIMIT_MAX)
      throw badRequest(`trace_limit ${limit} must be <= ${TRACE_LIMIT_MAX}`);
    const isNamed = settings.addresses.length > 0 && settings.where === '';
    const all = isNamed && filters.length === 0 && limit === 0;
    const isOrdered = orderBy.trim() !== '';
    if (limit === 0 && !isOrdered) await this.#checkExpressions(settings);
    if (all && !isOrdered) return settings.addresses;
    const columns = await this.columns('');
    const further = conditionOf(filters, columns);
    if (limit === 0 && !isOrdered) return chosenAddresses(settings, further);
    const order = orderSql(parseOrder(orderBy, columns), 'address');
    const ordered = await this.#ordered(settings, further, order, limit);
    if (all) return [...ordered, ...settings.addresses]; // traces that are not in the catalog come last
    if (ordered.length > 0) return ordered;
    throw new BigtraceError(
      'no_match',
      'the selection matches no trace of the catalog; run bigtrace index to fill it',
    );
  }

  /** As check(), for those expressions only that the orchestrator evaluates. */
  async #checkExpressions(settings: Settings): Promise<void> {
    const addresses = settings.addresses.filter((one) => parseAddress(one).store === WHERE_STORE);
    if (addresses.length > 0 || settings.where !== '') await this.check({ ...settings, addresses });
  }

  /** @param limit 0 for all traces, of which there must not be more than TRACE_LIMIT_MAX */
  async #ordered(
    settings: Settings,
    further: string,
    order: string,
    limit: number,
  ): Promise<string[]> {
    const { from, condition, settings: end } = chosenTraces(settings);
    const rows = await this.#catalog.rows(
      `SELECT hex(address) FROM ${from} WHERE ${condition} AND ${further}
       ORDER BY ${order} LIMIT ${limit === 0 ? TRACE_LIMIT_MAX + 1 : limit}${end}`,
    );
    if (rows.length > TRACE_LIMIT_MAX)
      throw badRequest(
        `trace_order_by: the selection has more than ${TRACE_LIMIT_MAX} traces; set a trace_limit, or leave the order out`,
      );
    return rows.map(([address]) => textFromHex(address));
  }
}

/** Whether the page shows the column by default. */
function isVisible(name: string, added: ReadonlyMap<string, ManifestColumn>): boolean {
  return DEFAULT_VISIBLE.has(name) || added.get(name)?.visible === true;
}

/**
 * SQL for a link that opens the trace in the Perfetto UI: a page of this server hands it over, because the UI fetches
 * traces from few origins only.
 */
export function linkSql(base: string, address = 'address'): string {
  return `concat(${literal(`${base}/open/`)}, base64URLEncode(${address}))`;
}
