import { expect, test } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import { type TotalsParts, TraceTotals } from './trace-totals.ts';

/** Counts of stand-ins: what they were asked for, and when they answer. */
class Counter {
  readonly asked: string[] = [];
  readonly #answers: ((count: number | Error) => void)[] = [];
  readonly signals: AbortSignal[] = [];

  count(addresses: readonly string[], signal: AbortSignal): Promise<number> {
    this.asked.push(addresses.join(' '));
    this.signals.push(signal);
    return new Promise((resolve, reject) => {
      this.#answers.push((count) => (count instanceof Error ? reject(count) : resolve(count)));
    });
  }

  async answer(count: number | Error): Promise<void> {
    await settled();
    this.#answers.shift()?.(count);
    await settled();
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

function totalsOf(addresses: string[], listing = new Counter(), catalog = new Counter()) {
  const plan = { addresses, strict: false, timeoutS: 0, metadataColumns: [], base: '' };
  let pending = 0;
  const parts: TotalsParts = {
    history: {
      pending: async () => {
        pending += 1;
        return { plan, outlivedServer: false };
      },
    },
    traces: {
      for: (signal: AbortSignal) => ({
        countOf: (all: readonly string[]) => catalog.count(all, signal),
      }),
    },
    watch: {
      countTraces: (all: readonly string[], signal: AbortSignal) => listing.count(all, signal),
    },
    log: { debug: () => undefined },
  };
  return { totals: new TraceTotals(parts), listing, catalog, lookups: () => pending };
}

const known = (tracesTotal: number, totalIsFinal: boolean) => ({ tracesTotal, totalIsFinal });

test('traces that patterns match are listed once, and the total is shown from then on', async () => {
  const { totals, listing, lookups } = totalsOf(['/local/**', '/gcs/b/o/a']);
  expect([totals.of('q', undefined), totals.of('q', undefined)]).toEqual([0, 0]);
  await listing.answer(7);
  expect([totals.of('q', undefined), totals.of('q', known(3, false))]).toEqual([7, 7]);
  expect(totals.of('q', known(9, false))).toBe(9);
  expect(totals.of('q', known(6, true))).toBe(6);
  expect([listing.asked, lookups()]).toEqual([['/local/** /gcs/b/o/a'], 1]);
});

test('named traces are counted without a listing, each once', async () => {
  const { totals, listing } = totalsOf(['/local/a', '/local/./a', '/local/b', '/http/host/a?b']);
  totals.of('q', undefined);
  await settled();
  expect([totals.of('q', undefined), listing.asked]).toEqual([3, []]);
});

test('traces of the catalog are counted there; a mixture is not counted', async () => {
  const { totals, catalog, listing } = totalsOf(['/where/size > 1']);
  totals.of('q', undefined);
  await catalog.answer(5);
  expect([totals.of('q', undefined), catalog.asked]).toEqual([5, ['/where/size > 1']]);
  const mixed = totalsOf(['/where/size > 1', '/local/a'], listing, catalog);
  mixed.totals.of('q', undefined);
  await settled();
  expect([mixed.totals.of('q', undefined), listing.asked.length]).toEqual([0, 0]);
});

test('a count ends when the orchestrator has the total, and when the query or the service ends', async () => {
  const { totals, listing } = totalsOf(['/local/**']);
  for (const uuid of ['a', 'b', 'c']) totals.of(uuid, undefined);
  await settled();
  expect(totals.of('a', known(4, true))).toBe(4);
  expect(listing.signals.map(({ aborted }) => aborted)).toEqual([true, false, false]);
  totals.ended('b');
  expect(listing.signals.map(({ aborted }) => aborted)).toEqual([true, true, false]);
  totals.close();
  expect(listing.signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
});

test('a failed count is not repeated, and few counts run at the same time', async () => {
  const { totals, listing } = totalsOf(['/local/**']);
  for (const uuid of ['a', 'b', 'c', 'd', 'e']) totals.of(uuid, undefined);
  await settled();
  expect(listing.asked).toHaveLength(4);
  await listing.answer(new BigtraceError('store_failed', 'the disk is gone'));
  expect(totals.of('a', undefined)).toBe(0);
  totals.of('e', undefined);
  await settled();
  expect(listing.asked).toHaveLength(5);
});
