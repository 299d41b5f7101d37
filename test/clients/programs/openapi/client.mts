/** Runs a query with a client that openapi-typescript made of /openapi.json, and prints the columns and the first row. */
import createClient from 'openapi-fetch';
import type { paths } from './schema.js';

const client = createClient<paths>({ baseUrl: process.argv[2] ?? '' });
const body = {
  perfetto_sql: 'SELECT 9223372036854775807 AS highest, NULL AS absent',
  limit: 1,
  settings: [{ setting_id: 'traces', values: ['/local/linux/idle.pftrace'] }],
};
const { data, error } = await client.POST('/execute_bigtrace_query', { body });
if (data === undefined) throw new Error(JSON.stringify(error));
console.log(data.columnNames.join(), data.rows[0]?.values.join());
const { error: refused } = await client.POST('/execute_bigtrace_query', {
  body: { ...body, perfetto_sql: '' },
});
console.log(JSON.stringify(refused));
