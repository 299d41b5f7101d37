/**
 * Tests that the rows of a view are written as those of a table with the same rows, in every output format of
 * ClickHouse.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rowsOf, startTestEngine, type TestEngine } from '../../clickhouse/testing/engine.ts';
import { makeQueries } from '../../clickhouse/testing/sweep/queries.ts';
import type { SweepQuery } from '../../clickhouse/testing/sweep/sweep.ts';

/** Formats that cannot write these columns: each needs a schema, a server or other columns. */
const REJECTED = [
  ...['AvroConfluent', 'GeoJSON', 'Npy', 'PNG', 'Prometheus', 'Protobuf', 'ProtobufList'],
  ...['ProtobufSingle', 'Template'],
];

let t: TestEngine;
let queries: SweepQuery[];

beforeAll(async () => {
  t = await startTestEngine();
  queries = (await makeQueries(t)).filter(({ name }) =>
    ['bigtrace', 'text_bigtrace'].includes(name),
  );
});
afterAll(() => t?.[Symbol.asyncDispose]());

/** Returns the body of the response, or of the error. */
async function bodyOf(query: string, format: string): Promise<Buffer> {
  const url = new URL(`http://${t.engine.httpAddress}`);
  url.searchParams.set('output_format_write_statistics', '0');
  url.searchParams.set('default_format', format);
  const response = await fetch(url, {
    method: 'POST',
    body: query,
    headers: { 'X-ClickHouse-User': 'analyst', 'X-ClickHouse-Key': t.engine.passwords.analyst },
  });
  return Buffer.from(await response.arrayBuffer());
}

/** Without lines about progress, and without the random name of a file in an error. */
function comparable(body: Buffer): string {
  return body
    .toString('latin1')
    .replace(/^{"progress":.*\n/gm, '')
    .replace(/\btmp\w+\.proto\b/, '');
}

// Without ORDER BY, the order of rows and the sizes of blocks differ, and so the bytes of formats (docs/settings.md).
test('every output format writes the same for a view as for a table', async () => {
  const formats = await rowsOf(t.as('admin'), 'SELECT name FROM system.formats WHERE is_output');
  expect(formats.length).toBeGreaterThan(90);
  const rejected = new Set<string>();
  const different: string[] = [];
  for (const { name, query, twin } of queries)
    for (const format of formats.map(([format]) => String(format))) {
      const [view, table] = [
        comparable(await bodyOf(`${query} ORDER BY ALL`, format)),
        comparable(await bodyOf(`${twin} ORDER BY ALL`, format)),
      ];
      if (/^Code: \d+\. DB::/.test(view)) rejected.add(format);
      if (view !== table) different.push(`${name} ${format}: ${view.slice(0, 300)}`);
    }
  console.log(`${formats.length} formats x ${queries.length} views`);
  expect(different).toEqual([]);
  expect([...rejected].sort()).toEqual(REJECTED);
});
