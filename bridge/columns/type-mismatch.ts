/** The error for a value that does not fit the type of its column. */

import { BigtraceError, type ErrorDetails } from '../../lib/common/errors.ts';
import { printable } from '../../lib/common/text/byte-text.ts';
import type { TableColumn } from './structure.ts';

export interface TypeMismatchDetails {
  column: TableColumn;
  /** The value as the message shows it. */
  value: string;
  /** Its kind as a bit of LearnRequest.kinds; 0 if learning it would not change the found type. */
  kinds: number;
  /** A type that holds the value. */
  wider: string;
}

/**
 * The type as shown to users: by ClickHouse's own name, never an alias. @clickhouse/client takes upper-case letters in
 * parentheses, such as those of `Nullable(BLOB)`, for the end of an error's message.
 */
function typeText({ type: { base, nullable } }: TableColumn): string {
  return nullable ? `Nullable(${base})` : base;
}

export class TypeMismatch extends BigtraceError {
  readonly facts: TypeMismatchDetails;
  /** The message without the remedy. */
  readonly what: string;

  constructor(facts: TypeMismatchDetails, details: ErrorDetails = {}) {
    const { column, value, wider } = facts;
    const what = `column ${printable(column.name)} is ${typeText(column)} and cannot hold ${value}`;
    const remedy = `declare it as ${wider} (bigtrace_as takes a structure), or CAST it in the script`;
    super('type_mismatch', `${what}; ${remedy}`, details);
    this.facts = facts;
    this.what = what;
  }

  override ofTrace(trace: string): TypeMismatch {
    return new TypeMismatch(this.facts, { trace, cause: this.cause });
  }
}
