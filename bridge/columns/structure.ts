/** Formats and parses table structures in ClickHouse's syntax: `name Type, …`. */
import { BigtraceError } from '../../lib/common/errors.ts';
import { identifier } from '../../lib/common/text/sql-literal.ts';
import { type ColumnType, parseType } from './column-type.ts';

/** Says what a row is (MARK). Views remove the other kinds; bigtrace_answers keeps failures (clickhouse/views). */
export const HEARTBEAT_COLUMN = '_hb';
export const TRACE_COLUMN = '_trace_address';

export const MARK = {
  ROW: 0,
  HEARTBEAT: 1,
  /** The row names a failed trace. */
  FAILURE: 2,
} as const;

export interface TableColumn {
  name: string;
  type: ColumnType;
  /** Whether the column is a String that accepts text and bytes only: a number is an error, not written as digits. */
  exact: boolean;
}

/** With NOT NULL, because the setting data_type_default_nullable makes types Nullable by default. */
const HIDDEN = `${identifier(HEARTBEAT_COLUMN)} UInt8 NOT NULL, ${identifier(TRACE_COLUMN)} String NOT NULL`;

/** Returns the structure of a table with these columns, after the bridge's own two. */
export function formatStructure(columns: { name: string; type: string }[]): string {
  return [HIDDEN, ...columns.map(({ name, type }) => `${identifier(name)} ${type}`)].join(', ');
}

/**
 * Returns the columns after the bridge's own two.
 * @param found whether column finding chose the types; then String columns are `exact`
 * @throws invalid_option if the text is not a structure, or has unsupported types; internal if the first two columns
 *   are not the bridge's own
 */
export function parseStructure(text: string, isFound = false): TableColumn[] {
  const parser = new StructureParser(text);
  const [heartbeat, trace, ...columns] = parser.columns();
  if (
    heartbeat?.name !== HEARTBEAT_COLUMN ||
    !/^UInt8( NOT NULL)?$/.test(heartbeat.type) ||
    trace?.name !== TRACE_COLUMN ||
    !/^String( NOT NULL)?$/.test(trace.type)
  )
    throw new BigtraceError('internal', `structure must begin with ${HIDDEN}: ${text}`);
  const names = new Set<string>();
  return columns.map(({ name, type }) => {
    if (names.has(name))
      throw new BigtraceError('invalid_option', `structure names column ${name} twice`);
    names.add(name);
    const parsed = parseType(type, name);
    const exact = isFound && parsed.base === 'String';
    return { name, type: parsed, exact };
  });
}

class StructureParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  columns(): { name: string; type: string }[] {
    const columns: { name: string; type: string }[] = [];
    this.#space();
    while (this.#at < this.#text.length) {
      const name = this.#identifier();
      this.#space();
      columns.push({ name, type: this.#type(name) });
      this.#at++; // the comma
      this.#space();
    }
    return columns;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #identifier(): string {
    const quote = this.#text[this.#at];
    if (quote !== '`' && quote !== '"') {
      const bare = /^[A-Za-z_][A-Za-z0-9_.]*/.exec(this.#text.slice(this.#at))?.[0];
      if (bare === undefined) throw this.#refuse('a column name');
      this.#at += bare.length;
      return bare;
    }
    let name = '';
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] ?? '';
      if (char === quote && this.#text[this.#at + 1] !== quote) {
        this.#at++;
        return name;
      }
      if (char === quote) this.#at++;
      else if (char === '\\') {
        name += ESCAPES[this.#text[++this.#at] ?? ''] ?? this.#text[this.#at] ?? '';
        continue;
      }
      name += char;
    }
    throw this.#refuse(`the closing ${quote}`);
  }

  /** Reads a type, up to the comma that ends the column. */
  #type(column: string): string {
    const from = this.#at;
    let depth = 0;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at];
      if (char === ',' && depth === 0) break;
      if (char === '(') depth++;
      else if (char === ')') depth--;
    }
    const type = this.#text.slice(from, this.#at).trim();
    if (type === '') throw this.#refuse(`the type of column ${column}`);
    return type;
  }

  #refuse(what: string): BigtraceError {
    return new BigtraceError(
      'invalid_option',
      `structure lacks ${what} at character ${this.#at + 1}: ${this.#text}`,
    );
  }
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', 0: '\0' };
