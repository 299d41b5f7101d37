/** Sets of kinds of cells, as bits `1 << CellType`, and how SQLite's operations and conversions change them. */
import { CellType } from '../../query-result/index.ts';

export const NULL = 1 << CellType.NULL;
export const INT = 1 << CellType.VARINT;
export const REAL = 1 << CellType.FLOAT64;
export const TEXT = 1 << CellType.STRING;
export const BLOB = 1 << CellType.BLOB;
export const ANY = NULL | INT | REAL | TEXT | BLOB;

/** Returns the kinds of a declared column type, as pragma_table_xinfo reports it; ANY for an unknown type. */
export function kindsOfDeclared(type: string): number {
  const name = type.toUpperCase();
  if (/^(INTEGER|INT|BIGINT|LONG|BOOL|TIMESTAMP|DURATION|ARGSETID|(JOIN)?ID\b.*)$/.test(name))
    return INT | NULL;
  if (/^(TEXT|STRING)$/.test(name)) return TEXT | NULL;
  if (/^(DOUBLE|REAL|FLOAT)$/.test(name)) return REAL | NULL;
  return ANY;
}

/** Returns the kinds of an arithmetic result. That an integer which overflows becomes a double is ignored. */
export function arithmetic(one: number, other: number): number {
  const both = one | other;
  let kinds = both & NULL;
  if (both & (TEXT | BLOB)) return kinds | INT | REAL;
  if (both & REAL) kinds |= REAL;
  if (one & INT && other & INT) kinds |= INT;
  return kinds;
}

/** Returns the kinds after CAST to an affinity, given as the code of its letter in SQLite's programs. */
export function cast(kinds: number, affinity: number): number {
  const isNull = kinds & NULL;
  if ((kinds & ~NULL) === 0) return isNull;
  switch (String.fromCharCode(affinity)) {
    case 'A':
      return isNull | BLOB;
    case 'B':
      return isNull | TEXT;
    case 'C':
      return isNull | INT | REAL;
    case 'D':
      return isNull | INT;
    case 'E':
      return isNull | REAL;
    default:
      return ANY;
  }
}

/** Returns the kinds after an affinity was applied, which converts only values that lose nothing. */
export function withAffinity(kinds: number, affinity: string): number {
  const numbers = kinds & (INT | REAL);
  switch (affinity) {
    case 'B':
      return numbers ? (kinds & ~numbers) | TEXT : kinds;
    case 'C':
    case 'F':
      return kinds & TEXT ? kinds | INT | REAL : kinds;
    case 'D':
      return kinds & TEXT ? kinds | INT | REAL : kinds & REAL ? kinds | INT : kinds;
    case 'E':
      return (kinds & INT ? (kinds & ~INT) | REAL : kinds) | (kinds & TEXT ? REAL : 0);
    default:
      return kinds;
  }
}
