/** The rows that clients keep are theirs alone, and bounded for all clients together. */
import { expect, test } from 'vitest';
import { keptTables, Runs } from './runs.ts';

const table = (text: string) => ({ columns: [{ name: 'x', type: 'String' }], rows: [[text]] });
const textOf = (runs: Runs, id: string) => runs.page(id, 0, 1).rows[0]?.[0];

test('a client gets the rows of its own runs, of which the last 20 are kept', () => {
  const tables = keptTables();
  const [ann, bob] = [new Runs(tables), new Runs(tables)];
  const [first = '', ...others] = Array.from({ length: 21 }, (_, nth) => ann.keep(table(`${nth}`)));
  expect(() => textOf(ann, first)).toThrow(`run ${first} is unknown`);
  expect(others.map((id) => textOf(ann, id))).toEqual(others.map((_, nth) => `${nth + 1}`));
  expect(() => textOf(bob, others[0] ?? '')).toThrow('is unknown');
  ann.clear();
  expect(tables.size).toBe(0);
});

test('the rows of all clients are bounded together: the oldest go first', () => {
  const tables = keptTables(100);
  const [ann, bob] = [new Runs(tables), new Runs(tables)];
  const old = ann.keep(table('x'.repeat(50)));
  const kept = bob.keep(table('y'.repeat(50)));
  expect(() => textOf(ann, old)).toThrow('is unknown');
  expect(textOf(bob, kept)).toBe('y'.repeat(50));
});

test('pages say where the next one begins', () => {
  const runs = new Runs();
  const id = runs.keep({ ...table(''), rows: [['a'], ['b'], ['c']] });
  expect(runs.page(id, 0, 2)).toMatchObject({ rows: [['a'], ['b']], totalRows: 3, nextOffset: 2 });
  expect(runs.page(id, 2, 2)).not.toHaveProperty('nextOffset');
});
