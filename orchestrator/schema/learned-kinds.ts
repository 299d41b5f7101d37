/**
 * Remembers value kinds that column finding missed. A value that does not fit the type of its column ends the query,
 * and the bridge reports its kind; the next column finding then chooses a type that holds it. An entry applies to one
 * user, script and list of addresses, since the same column may hold other values over other traces. The memory is
 * bounded and not persistent: after a restart the same error fills it again.
 */
import { hash } from 'node:crypto';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Column, LearnRequest } from '../../lib/proto/messages.ts';

const SCRIPTS_MAX = 1000;
const COLUMNS_MAX = 1000;
const DIGEST_BYTES = 32;

type Script = Pick<LearnRequest, 'user' | 'sql' | 'tracesDigest'>;

export class LearnedKinds {
  /** The sets of kinds by column number, for each script; the script learned last is last. */
  readonly #scripts = new Map<string, Map<number, number>>();

  /** Adds kinds of one column. @throws invalid_option when the digest or the kinds are malformed */
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

  /** Returns the columns with their learned kinds added. */
  addTo(columns: readonly Column[], script: Script): Column[] {
    const learned = this.#scripts.get(keyOf(script));
    return columns.map((column, at) => {
      const learnedKinds = learned?.get(at);
      return learnedKinds === undefined ? column : { ...column, learnedKinds };
    });
  }

  /** Whether kinds were learned for a column. */
  has(script: Script, column: number): boolean {
    return this.#scripts.get(keyOf(script))?.has(column) === true;
  }
}

function keyOf({ user, sql, tracesDigest }: Script): string {
  return `${hash('sha256', sql, 'hex')} ${tracesDigest.toString('hex')} ${user}`;
}
