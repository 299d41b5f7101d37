/** A value that does not fit the type of its column. */

import { BigtraceError, type ErrorDetails } from '../../lib/common/errors.ts';
import { printable } from '../../lib/common/text/byte-text.ts';
import { GUESSED_TYPE } from './column-type.ts';
import type { TableColumn } from './structure.ts';

export interface TypeMismatchDetails {
  column: TableColumn;
  /** The value, for people. */
  value: string;
  /** Bits of its kind, as Orchestrator.Learn has them; 0 where to know it would not help. */
  kinds: number;
  /** A type that holds it. */
  wider: string;
}

/** A guess is told under the name that everybody knows. */
function typeText({ type }: TableColumn): string {
  return type.text === GUESSED_TYPE ? 'Nullable(Int64)' : type.text;
}

export class TypeMismatch extends BigtraceError {
  readonly facts: TypeMismatchDetails;
  /** What is wrong, without a remedy. */
  readonly what: string;

  constructor(facts: TypeMismatchDetails, details: ErrorDetails = {}) {
    const { column, value, wider } = facts;
    const what = `column ${printable(column.name)} is ${typeText(column)} and cannot hold ${value}`;
    const remedy = `make it ${wider} (bigtrace_as takes a structure), or CAST it in the query`;
    super('type_mismatch', `${what}; ${remedy}`, details);
    this.facts = facts;
    this.what = what;
  }

  override ofTrace(trace: string): TypeMismatch {
    return new TypeMismatch(this.facts, { trace, cause: this.cause });
  }
}
