import { expect, it } from 'vitest';
import type { WirePage } from '../../http-api/contract/page.ts';
import { axesOf, barsOf } from './chart.ts';

const PAGE: WirePage = {
  columnNames: ['_trace_address', 'name', 'dur'],
  schema: [
    { name: '_trace_address', type: 'STRING' },
    { name: 'name', type: 'STRING' },
    { name: 'dur', type: 'INT64' },
  ],
  rows: [
    { values: ['/local/a', 'x', '9223372036854775807'] },
    { values: ['/local/a', null, '0'] },
    { values: ['/local/a', 'y', null] },
    { values: ['/local/a', 'z', '-9223372036854775807'] },
  ],
  totalFilteredRows: 4,
};

it('chooses the first text column that is not the address, and the first number column', () => {
  expect(axesOf(PAGE)).toEqual({ name: 1, value: 2, across: 2 });
  expect(axesOf({ ...PAGE, schema: PAGE.schema.slice(0, 2) })).toBeUndefined();
  expect(axesOf({ ...PAGE, schema: PAGE.schema.filter(({ name }) => name !== 'name') })).toEqual({
    ...{ name: 0, value: 1, across: 1 },
  });
});

it('draws bars from zero in both directions, keeps all digits, and omits NULL', () => {
  expect(barsOf(PAGE, { name: 1, value: 2 })).toEqual([
    { name: 'x', value: '9223372036854775807', from: 0.5, to: 1 },
    { name: 'NULL', value: '0', from: 0.5, to: 0.5 },
    { name: 'z', value: '-9223372036854775807', from: 0, to: 0.5 },
  ]);
});

it('omits values that are not finite, and draws zero without a length', () => {
  const rows = ['inf', 'nan', '0'].map((value) => ({ values: ['/local/a', 'x', value] }));
  expect(barsOf({ ...PAGE, rows }, { name: 1, value: 2 })).toEqual([
    { name: 'x', value: '0', from: 0, to: 0 },
  ]);
});
