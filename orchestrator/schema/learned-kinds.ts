/**
 * What misfits have told of the columns of scripts: a value that did not fit the type that was found for its
 * column ends that query, and the type that is found next can hold it. Known for a user's own script over the same
 * addresses: over other traces the same column may hold other values. Bounded, and lost with the process: then the
 * same error teaches it again.
 */
import { hash } from 'node:crypto';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Column, LearnRequest } from '../../lib/proto/messages.ts';

const SCRIPTS_MAX = 1000;
const COLUMNS_MAX = 1000;
const DIGEST_BYTES = 32;

type Script = Pick<LearnRequest, 'user' | 'sql' | 'tracesDigest'>;

export class LearnedKinds {
  /** For each script the kinds by the number of the column; what was learned last is last. */
  readonly #scripts = new Map<string, Map<number, number>>();

  /** @throws invalid_option */
  learn(request: LearnRequest): void {
    const { column, kinds, tracesDigest } = request;
    if (tracesDigest.length !== DIGEST_BYTES)
      throw new BigtraceError('invalid_option', `traces_digest must have ${DIGEST_BYTES} bytes`);
    if (kinds === 0 || kinds > 63 || kinds % 2 === 1)
      throw new BigtraceError('invalid_option', `kinds ${kinds} must be a set of the bits 1 to 5`);
    const key = keyOf(request);
    const columns = this.#scripts.get(key) ?? new Map<number, number>();
    if (columns.size >= COLUMNS_MAX && !columns.has(column)) return;
    columns.set(column, (columns.get(column) ?? 0) | kinds);
    this.#scripts.delete(key);
    this.#scripts.set(key, columns);
    const [oldest] = this.#scripts.keys();
    if (this.#scripts.size > SCRIPTS_MAX && oldest !== undefined) this.#scripts.delete(oldest);
  }

  /** The columns, each with what is known of it. */
  addTo(columns: readonly Column[], script: Script): Column[] {
    const learned = this.#scripts.get(keyOf(script));
    return columns.map((column, at) => {
      const learnedKinds = learned?.get(at);
      return learnedKinds === undefined ? column : { ...column, learnedKinds };
    });
  }

  /** Whether something is known of a column. */
  has(script: Script, column: number): boolean {
    return this.#scripts.get(keyOf(script))?.has(column) === true;
  }
}

function keyOf({ user, sql, tracesDigest }: Script): string {
  return `${hash('sha256', sql, 'hex')} ${tracesDigest.toString('hex')} ${user}`;
}
