import { describe, expect, it } from 'vitest';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';
import { createFormat, type FormatName } from './formats.ts';

const COLUMNS = ['_trace_address', 'n', 'n', 'd', 'name', 'blob'];

const ROWS: CellValue[][] = [
  ['/local/a', 9223372036854775807n, -1n, 0.1, 'tab\tnewline\nquote"back\\', Buffer.of(0, 255)],
  ['/local/b', null, 9007199254740991n, Number.POSITIVE_INFINITY, '', new Uint8Array(0)],
  ['/local/c', -9223372036854775808n, 0n, -0, textFromBytes(Buffer.of(0x66, 0xff)), null],
];

function printed(name: FormatName, rows: CellValue[][] = ROWS): Buffer {
  const format = createFormat(name);
  return Buffer.concat([format.begin(COLUMNS), format.rows(rows), format.end()]);
}

/** Splits into lines as latin1, because the last row contains a byte that is not UTF-8. */
function lines(bytes: Buffer): string[] {
  return bytes.toString('latin1').split('\n');
}

describe('csv', () => {
  it('quotes where necessary, distinguishes NULL from an empty text, and loses no digits', () => {
    expect(printed('csv').toString('latin1')).toBe(
      [
        '_trace_address,n,n,d,name,blob',
        '/local/a,9223372036854775807,-1,0.1,"tab\tnewline\nquote""back\\",\\x00ff',
        '/local/b,,9007199254740991,inf,"",\\x',
        '/local/c,-9223372036854775808,0,-0,f\xff,',
        '',
      ].join('\n'),
    );
  });
});

describe('tsv', () => {
  it('escapes characters that would break a line', () => {
    expect(lines(printed('tsv'))).toEqual([
      '_trace_address\tn\tn\td\tname\tblob',
      '/local/a\t9223372036854775807\t-1\t0.1\ttab\\tnewline\\nquote"back\\\\\t\\x00ff',
      '/local/b\t\\N\t9007199254740991\tinf\t\t\\x',
      '/local/c\t-9223372036854775808\t0\t-0\tf\xff\t\\N',
      '',
    ]);
  });
});

describe('json', () => {
  it('prints one object per line, with numbers only if a double is exact', () => {
    const objects = printed('json')
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(objects).toEqual([
      {
        _trace_address: '/local/a',
        n: '9223372036854775807',
        n_1: -1,
        d: 0.1,
        name: 'tab\tnewline\nquote"back\\',
        blob: 'AP8=',
      },
      { _trace_address: '/local/b', n: null, n_1: 9007199254740991, d: 'inf', name: '', blob: '' },
      {
        _trace_address: '/local/c',
        n: '-9223372036854775808',
        n_1: 0,
        d: -0,
        name: 'f\udcff',
        blob: null,
      },
    ]);
  });

  it('escapes a byte that is not UTF-8, so that the line is valid UTF-8', () => {
    expect(printed('json').toString()).toContain('"name":"f\\udcff"');
  });
});

describe('table', () => {
  it('aligns columns, numbers to the right, and prints each row on one line', () => {
    expect(lines(printed('table', ROWS.slice(0, 2)))).toEqual([
      '_trace_address  n                    n                 d    name                           blob',
      `${[
        '─'.repeat(14),
        '─'.repeat(19),
        '─'.repeat(16),
        '─'.repeat(3),
        '─'.repeat(29),
        '─'.repeat(6),
      ]
        .map((rule) => Buffer.from(rule).toString('latin1'))
        .join('  ')}`,
      '/local/a        9223372036854775807                -1  0.1  tab\\x09newline\\x0aquote"back\\  \\x00ff',
      '/local/b        NULL                 9007199254740991  inf                                 \\x',
      '',
    ]);
  });

  it('prints the header if there are no rows', () => {
    expect(lines(printed('table', []))[0]).toBe('_trace_address  n  n  d  name  blob');
  });

  it('streams rows once the column widths are known', () => {
    const format = createFormat('table');
    format.begin(['_trace_address']);
    expect(format.rows(Array.from({ length: 499 }, () => ['/local/a'])).length).toBe(0);
    expect(lines(format.rows([['/local/b']])).length).toBe(2 + 500 + 1);
    expect(format.rows([['/local/c']]).toString()).toBe('/local/c\n');
  });
});
