/** Output formats of `bigtrace query`. Every format streams rows and preserves values exactly. */
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { doubleText } from '../../lib/common/text/double-text.ts';
import { escapeTsv } from '../../lib/common/text/tsv-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';
import { plainText } from './cell-text.ts';
import type { Format } from './format.ts';
import { TableFormat } from './table.ts';

export const FORMATS = ['table', 'csv', 'json', 'tsv'] as const;
export type FormatName = (typeof FORMATS)[number];

export function createFormat(name: FormatName): Format {
  switch (name) {
    case 'csv':
      return new DelimitedFormat(',', csvCell);
    case 'tsv':
      return new DelimitedFormat('\t', tsvCell);
    case 'json':
      return new JsonFormat();
    case 'table':
      return new TableFormat();
  }
}

const NOTHING = Buffer.alloc(0);

class DelimitedFormat implements Format {
  readonly #separator: string;
  readonly #cell: (value: CellValue) => string;

  constructor(separator: string, cell: (value: CellValue) => string) {
    this.#separator = separator;
    this.#cell = cell;
  }

  begin(columns: string[]): Buffer {
    return this.rows([columns]);
  }

  rows(rows: CellValue[][]): Buffer {
    let text = '';
    for (const row of rows) text += `${row.map(this.#cell).join(this.#separator)}\n`;
    return bytesFromText(text);
  }

  end(): Buffer {
    return NOTHING;
  }
}

/** RFC 4180. NULL is an empty field, an empty text is `""`, a blob is `\x` and hexadecimal digits. */
function csvCell(value: CellValue): string {
  if (value === null) return '';
  const text = plainText(value);
  return typeof value === 'string' && (text === '' || /[",\r\n]/.test(text))
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}

/** NULL is `\N`; tab, newline, carriage return and backslash are escaped; a blob is `\x` and hexadecimal digits. */
function tsvCell(value: CellValue): string {
  if (value === null) return '\\N';
  const text = plainText(value);
  return typeof value === 'string' ? escapeTsv(text) : text;
}

/**
 * Prints one object per line. Integers beyond ±(2^53 - 1), which most JSON parsers would round, infinities and NaN are
 * strings; blobs are base64. A byte that is not UTF-8 is escaped as a lone surrogate, like Python's surrogateescape.
 */
class JsonFormat implements Format {
  #keys: string[] = [];

  begin(columns: string[]): Buffer {
    this.#keys = distinct(columns).map((name) => JSON.stringify(name));
    return NOTHING;
  }

  rows(rows: CellValue[][]): Buffer {
    let text = '';
    for (const row of rows)
      text += `{${row.map((value, at) => `${this.#keys[at]}:${jsonCell(value)}`).join(',')}}\n`;
    return Buffer.from(text);
  }

  end(): Buffer {
    return NOTHING;
  }
}

function jsonCell(value: CellValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint')
    return Number.isSafeInteger(Number(value)) ? String(value) : `"${value}"`;
  if (typeof value === 'number')
    return Number.isFinite(value) ? doubleText(value) : `"${doubleText(value)}"`;
  return `"${Buffer.from(value).toString('base64')}"`;
}

/** Renames duplicate columns, because the keys of an object must be unique: `a, a, ""` becomes `a, a_1, ""`. */
function distinct(columns: string[]): string[] {
  const usedNames = new Set<string>();
  return columns.map((column) => {
    let name = column;
    for (let n = 1; usedNames.has(name); n++) name = `${column}_${n}`;
    usedNames.add(name);
    return name;
  });
}
