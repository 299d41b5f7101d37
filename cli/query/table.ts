/** Formats rows as a text table. The first rows determine the column widths, the rest are streamed. */
import { bytesFromText, printable } from '../../lib/common/text/byte-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';
import { plainText } from './cell-text.ts';
import type { Format } from './format.ts';

/** Number of rows that are buffered to determine the widths. */
const ROWS_MEASURED = 500;

/** Maximum column width in characters; longer cells overflow. */
const WIDTH_MAX = 60;

export class TableFormat implements Format {
  #columns: string[] = [];
  #measured: CellValue[][] = [];
  #widths: number[] | undefined;

  begin(columns: string[]): Buffer {
    this.#columns = columns.map(printable);
    return Buffer.alloc(0);
  }

  rows(rows: CellValue[][]): Buffer {
    if (this.#widths !== undefined) return this.#lines(rows, this.#widths);
    for (const row of rows) this.#measured.push(row);
    return this.#measured.length < ROWS_MEASURED ? Buffer.alloc(0) : this.#head();
  }

  end(): Buffer {
    return this.#widths === undefined ? this.#head() : Buffer.alloc(0);
  }

  #head(): Buffer {
    const rows = this.#measured;
    this.#measured = [];
    this.#widths = this.#columns.map((name, at) =>
      rows.reduce((width, row) => {
        const cell = width < WIDTH_MAX ? cellText(row[at] ?? null).length : 0;
        return Math.min(WIDTH_MAX, Math.max(width, cell));
      }, name.length),
    );
    const names = this.#columns.map((name, at) => name.padEnd(this.#widths?.[at] ?? 0));
    const rule = this.#widths.map((width) => '─'.repeat(width));
    const head = `${names.join('  ').trimEnd()}\n${rule.join('  ')}\n`;
    return Buffer.concat([Buffer.from(head), this.#lines(rows, this.#widths)]);
  }

  #lines(rows: CellValue[][], widths: number[]): Buffer {
    let text = '';
    for (const row of rows) {
      const cells = row.map((value, at) => {
        const width = widths[at] ?? 0;
        const numeric = typeof value === 'bigint' || typeof value === 'number';
        return numeric ? cellText(value).padStart(width) : cellText(value).padEnd(width);
      });
      text += `${cells.join('  ').trimEnd()}\n`;
    }
    return bytesFromText(text);
  }
}

function cellText(value: CellValue): string {
  return value === null ? 'NULL' : printable(plainText(value));
}
