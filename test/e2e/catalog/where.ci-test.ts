/** Tests that an expression over the catalog has the same meaning in all interfaces and reads only the catalog. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../clickhouse/testing/engine.ts';
import { openDatabase } from '../../../http-api/queries/database.ts';
import { chosenTraces } from '../../../http-api/sql/chosen-traces.ts';
import { Traces } from '../../../http-api/sql/traces.ts';
import type { ClickHouse } from '../../../lib/clickhouse/client.ts';
import { parseAddress } from '../../../lib/common/addresses/address.ts';
import { textFromBytes } from '../../../lib/common/text/byte-text.ts';
import { Catalog } from '../../../orchestrator/query/catalog.ts';

const ADDRESSES = [
  '/local/a',
  '/local/b',
  '/local/dir/c',
  '/local/dir/[d]',
  '/local/dir/d',
  '/gcs/b/o/e',
];

let engine: TestEngine;
let admin: ClickHouse;
let traces: Traces;
let catalog: Catalog;
const databases: ClickHouse[] = [];

beforeAll(async () => {
  engine = await startTestEngine();
  const url = `http://${engine.engine.httpAddress}`;
  const { service, admin: password } = engine.engine.passwords;
  const as = (username: string, secret: string): ClickHouse => {
    const database = openDatabase({ url, username, password: secret });
    databases.push(database);
    return database;
  };
  admin = as('admin', password);
  await admin.insert(
    'bigtrace.trace_catalog',
    ['address', 'store', 'size'],
    [ADDRESSES.map((address, nth) => [address, address.split('/')[1] ?? '', nth + 1])],
  );
  traces = new Traces(as('bigtrace_backend', service), as('bigtrace_catalog', service));
  catalog = new Catalog(url, service);
}, 60_000);
afterAll(async () => {
  await Promise.all([...databases.map((one) => one.close()), catalog?.close()]);
  await engine?.[Symbol.asyncDispose]();
});

const settingsOf = (addresses: string[], where: string) => ({
  ...{ addresses, where, strict: false, timeoutS: 0 },
});

/** Each interface with the function that returns the traces it chooses, or rejects. */
const WAYS: [string, (addresses: string[], where: string) => Promise<string[]>][] = [
  [
    'the page’s grid',
    async (addresses, where) => {
      const request = { limit: 100, offset: 0, columns: ['address'] };
      const { rows, total } = await traces.page(settingsOf(addresses, where), request, '');
      expect(total).toBe(rows.length);
      return rows.map(([address]) => address ?? '');
    },
  ],
  [
    'a query over HTTP with a limit of traces',
    (addresses, where) =>
      traces.addresses({
        settings: settingsOf(addresses, where),
        filters: [],
        orderBy: '',
        limit: 100,
      }),
  ],
  [
    'a query over HTTP with a filter, by the orchestrator',
    async (addresses, where) => {
      const filters = [{ field: 'size', op: '>' as const, value: '0' }];
      const choice = { settings: settingsOf(addresses, where), filters, orderBy: '', limit: 0 };
      return selected(await traces.addresses(choice));
    },
  ],
  [
    'materialize',
    async (addresses, where) => {
      const { from, condition, settings } = chosenTraces(settingsOf(addresses, where));
      const rows = await admin.rows(`SELECT address FROM ${from} WHERE ${condition}${settings}`);
      return rows.map(([address]) => address ?? '');
    },
  ],
];

/** Returns the traces that the orchestrator finds for these addresses, without duplicates. */
async function selected(addresses: string[]): Promise<string[]> {
  const chosen = new Set<string>();
  const { signal } = new AbortController();
  for (const address of addresses)
    for await (const batch of catalog.addressesWhere(parseAddress(address).path, {
      signal,
      user: 'test',
    }))
      for (const one of batch) chosen.add(textFromBytes(one));
  return [...chosen];
}

describe.each(WAYS)('%s', (_, choose) => {
  test.each([
    ['size < 3', ['/local/a', '/local/b']],
    ['size < 3 -- all', ['/local/a', '/local/b']],
    ['size < 3;', ['/local/a', '/local/b']],
    ['size < 3; -- all', ['/local/a', '/local/b']],
    ['size < 3 /* all */', ['/local/a', '/local/b']],
    ['traces.size = 1 OR bigtrace.traces.size = 2', ['/local/a', '/local/b']],
    ['address IN (SELECT address FROM traces)', ['/local/a', '/local/b', '/local/dir/c']],
    ['size = (SELECT min(size) FROM bigtrace.traces)', ['/local/a']],
    ["address LIKE '%\\\\%' OR address = '/local/a'", ['/local/a']],
  ])('%s', async (where, expected) => {
    const chosen = await choose(['/local/?', '/local/dir/c'], where);
    expect(chosen.sort()).toEqual(expected);
  });

  test.each([
    '1) OR (1',
    '1 OR 1) --',
    'size < 3 UNION ALL SELECT 1',
    'size < 3; SELECT 1',
    'size < 3 /*',
    "size < 3 AND address = '",
    'size, 1',
    '1 LIMIT 1',
  ])('%s is no expression', async (where) => {
    await expect(choose(['/local/?'], where)).rejects.toMatchObject({
      code: 'invalid_filter',
      message: expect.stringMatching(/^(filter over bigtrace\.traces|ClickHouse): /),
    });
    await expect(choose([`/where/${where}`], 'size < 2')).rejects.toMatchObject({
      code: 'invalid_filter',
    });
  });

  test('combines addresses, patterns and expressions', async () => {
    const addresses = [
      '/local/dir/[d]',
      '/gcs/**',
      '/where/size = 1',
      '/where//["size < 4","size > 2"]',
    ];
    const chosen = await choose(addresses, 'size != 6');
    // `[d]` is also the literal name of a trace, so it stands for that trace only.
    expect(chosen.sort()).toEqual(['/local/a', '/local/dir/[d]', '/local/dir/c']);
  });
});

describe('an order of traces', () => {
  const choice = (addresses: string[], where = '') => ({
    ...{ settings: settingsOf(addresses, where), filters: [], orderBy: 'size desc', limit: 0 },
  });

  test('orders the traces of the catalog, and leaves out no others', async () => {
    expect(await traces.addresses(choice(['/local/new', '/local/?']))).toEqual([
      ...['/local/b', '/local/a', '/local/new', '/local/?'],
    ]);
  });

  test('orders a selection from the catalog', async () => {
    expect(await traces.addresses(choice([], 'size < 4'))).toEqual([
      ...['/local/dir/c', '/local/b', '/local/a'],
    ]);
  });
});

test.each(['bigtrace.query_history', 'bigtrace.failures', 'system.processes', 'system.users'])(
  'an expression cannot read %s',
  async (table) => {
    const where = `(SELECT count() FROM ${table}) >= 0`;
    for (const [way, choose] of WAYS.slice(0, -1)) {
      const thrown = await choose(['/local/?'], where).catch((error: Error) => error.message);
      expect([way, thrown]).toEqual([way, expect.stringMatching(/Not enough privileges/)]);
    }
  },
);

test('an expression beyond the bound is an error that names the bound', async () => {
  const where = Array(200_000).fill('size = 1').join(' OR ');
  for (const [way, choose] of WAYS) {
    const thrown = await choose(['/local/?'], where).catch((error: Error) => error.message);
    expect([way, thrown]).toEqual([way, expect.stringMatching(/has more than 10000 words/)]);
  }
});

describe('a query over the catalog ends in ClickHouse when its caller has left', () => {
  const running = async (): Promise<number> =>
    admin.count("SELECT count() FROM system.processes WHERE user = 'bigtrace_catalog'");

  /** Two expressions that run for long: one reads rows, one reports no progress. */
  const endless = [
    '(SELECT count() FROM numbers(1000000000000000)) > 0',
    '(SELECT sum(sleepEachRow(1)) FROM numbers(3000) SETTINGS max_block_size = 1) > 0',
  ];

  const callers: [string, (where: string, signal: AbortSignal) => Promise<unknown>][] = [
    [
      'a query, by the orchestrator',
      async (where, signal) => {
        for await (const _ of catalog.addressesWhere(where, { signal, user: 'left' }));
      },
    ],
    [
      'the page’s grid',
      (where, signal) => {
        const request = { limit: 100, offset: 0, columns: ['address'] };
        return traces.for(signal).page(settingsOf(['/local/?'], where), request, '');
      },
    ],
  ];

  test.each(callers)('%s', async (_, outcomeOf) => {
    for (const where of endless) {
      const abort = new AbortController();
      const failure = outcomeOf(where, abort.signal).catch((error: unknown) => error);
      await expect.poll(running, { timeout: 20_000 }).toBeGreaterThan(0);
      abort.abort(new Error('left'));
      expect(await failure).toEqual(new Error('left'));
      await expect.poll(running, { timeout: 30_000 }).toBe(0);
    }
  });

  test('a caller who stops reading', async () => {
    const all = catalog.addressesWhere('1', { signal: new AbortController().signal, user: 'left' });
    for await (const _ of all) break;
    await expect.poll(running, { timeout: 20_000 }).toBe(0);
  });
});

test('cancelled expressions that ClickHouse cannot end are bounded for each user, and do not delay others', async () => {
  // One call of a function, which ClickHouse cannot end.
  const where = (nth: number): string =>
    `arrayLevenshteinDistance(range(40000 + ${nth}), range(1, 40000)) < 0`;
  const outcomeOf = async (
    user: string,
    expression: string,
    signal: AbortSignal,
  ): Promise<string> => {
    try {
      for await (const _ of catalog.addressesWhere(expression, { signal, user }));
      return 'it ended';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const refused: string[] = [];
  for (let nth = 0; nth < 12 && refused.length === 0; nth++) {
    const outcome = await outcomeOf('hostile', where(nth), AbortSignal.timeout(300));
    if (/has not ended/.test(outcome)) refused.push(outcome);
  }
  expect(refused).toEqual([
    'ClickHouse has not ended 4 cancelled queries of user hostile yet; try again when it has',
  ]);
  expect(await outcomeOf('good', 'size > 0', new AbortController().signal)).toBe('it ended');
}, 120_000);
