/** Which traces the tools select, and what a sample of them tells. */
import { expect, test } from 'vitest';
import { shareOf } from './sample.ts';
import { chosenTraces, survey } from './selection.ts';

const SIGNAL = new AbortController().signal;
const trace = (address: string, bytes = 0) => ({ address, bytes });

/** Stands in for the stores and the catalog. @param queries gets the queries of the catalog */
function accessTo(listed: readonly string[], queries: string[] = []) {
  return {
    list: async function* () {
      for (const address of listed) yield [trace(address, 10)];
    },
    rows: async (query: string) => {
      queries.push(query);
      return query.includes('count()') ? [['1', '7']] : [['2f61', '7']];
    },
  };
}

test('an expression selects no traces that are gone', async () => {
  const queries: string[] = [];
  const found = await survey(accessTo([], queries), { where: '1 OR 1 -- all' }, 5, SIGNAL);
  expect(found).toEqual({ count: 1, bytes: 7, sample: [trace('/a', 7)] });
  expect(queries).toHaveLength(2);
  for (const query of queries)
    expect(query).toContain('WHERE vanished_at IS NULL AND (1 OR 1 -- all\n)');
});

test('all traces of patterns are counted, and the same ones are chosen each time', async () => {
  const listed = Array.from({ length: 3000 }, (_, at) => `/local/${at}`);
  const { count, bytes, sample } = await survey(accessTo(listed), { traces: ['/x'] }, 3, SIGNAL);
  expect([count, bytes, sample.length]).toEqual([3000, 30_000, 3]);
  const again = await survey(accessTo(listed.toReversed()), { traces: ['/x'] }, 3, SIGNAL);
  expect(again.sample).toEqual(sample);
});

test('more traces than the bound are an error, and as many are in order', async () => {
  const access = accessTo(['/c', '/a', '/b']);
  const chosen = await chosenTraces(access, { traces: ['/x'] }, 3, SIGNAL);
  expect(chosen.map(({ address }) => address)).toEqual(['/a', '/b', '/c']);
  await expect(chosenTraces(access, { traces: ['/x'] }, 2, SIGNAL)).rejects.toThrow(
    '3 traces are selected, more than max_traces (2)',
  );
});

test('a sample is a share of the bytes, or of the traces if their sizes are unknown', () => {
  expect(shareOf([trace('/a', 10), trace('/b', 20)], { count: 9, bytes: 60 })).toBe(0.5);
  expect(shareOf([trace('/a'), trace('/b')], { count: 8, bytes: 0 })).toBe(0.25);
});
