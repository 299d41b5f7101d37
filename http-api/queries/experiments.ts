/** Experiments, read from catalog columns that `bigtrace index --manifest` adds under these names. */

import { identifier, literal } from '../../lib/common/text/sql-literal.ts';
import { type Reader, readerFor } from '../caller.ts';
import type { Experiment, PageRequest } from '../contract/page.ts';
import { window } from '../sql/page.ts';
import { TRACES, type Traces } from '../sql/traces.ts';
import type { Column } from './columns.ts';

const NAMES = ['experiment_name', 'control_id', 'control_name'];
const DENIALS = ['is_experiment_denied', 'is_control_denied'];

interface ExperimentSearch extends Pick<PageRequest, 'limit' | 'offset'> {
  /** A part of the name of an experiment or its control. */
  search_query?: string;
}

export class Experiments {
  readonly #database: Reader;
  readonly #traces: Traces;

  constructor(database: Reader, traces: Traces) {
    this.#database = database;
    this.#traces = traces;
  }

  /** Returns the same experiments, whose queries end in ClickHouse when the signal is aborted. */
  for(signal: AbortSignal): Experiments {
    return new Experiments(readerFor(this.#database, signal), this.#traces.for(signal));
  }

  async search({ search_query = '', ...page }: ExperimentSearch): Promise<Experiment[]> {
    const { limit, offset } = window(page);
    const text = literal(search_query.toLowerCase());
    return this.#select(
      `positionUTF8(lowerUTF8(c1), ${text}) > 0 OR positionUTF8(lowerUTF8(c3), ${text}) > 0`,
      `LIMIT ${limit} OFFSET ${offset}`,
    );
  }

  async find(id: string): Promise<Experiment | undefined> {
    const [experiment] = await this.#select(`c0 = ${literal(id)}`, 'LIMIT 1');
    return experiment;
  }

  async #select(condition: string, limit: string): Promise<Experiment[]> {
    const columns = await this.#traces.columns('');
    if (!columns.some(({ name }) => name === 'experiment_id')) return [];
    const texts = ['experiment_id', ...NAMES, ...DENIALS].map(
      (name, at) => `${textOrEmpty(name, columns)} AS c${at}`,
    );
    const rows = await this.#database.rows(
      `SELECT DISTINCT * FROM (SELECT ${texts.join(', ')} FROM ${TRACES} WHERE vanished_at IS NULL)
       WHERE c0 != '' AND (${condition}) ORDER BY toInt64OrZero(c0), c1 ${limit}`,
    );
    return rows.map(([id, name, controlId, controlName, denied, controlDenied]) => ({
      experimentId: Number(id),
      experimentName: name ?? '',
      controlId: Number(controlId),
      controlName: controlName ?? '',
      isExperimentDenied: isTrue(denied),
      isControlDenied: isTrue(controlDenied),
    }));
  }
}

function textOrEmpty(name: string, columns: readonly Column[]): string {
  return columns.some((column) => column.name === name)
    ? `ifNull(toString(${identifier(name)}), '')`
    : "''";
}

function isTrue(text: string | null | undefined): boolean {
  return text === '1' || text === 'true';
}
