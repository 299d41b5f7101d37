/** `clickhouse-client` as far as scripts need it: one statement, from --query or stdin, over HTTP. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    user: { type: 'string', short: 'u', default: process.env.CLICKHOUSE_USER ?? 'default' },
    password: { type: 'string', default: process.env.CLICKHOUSE_PASSWORD ?? '' },
    database: { type: 'string', short: 'd', default: '' },
    query: { type: 'string', short: 'q' },
    format: { type: 'string', default: 'TabSeparated' },
  },
});
const url = new URL(`http://${values.host}:8123/`);
url.searchParams.set('default_format', values.format);
if (values.database !== '') url.searchParams.set('database', values.database);
const response = await fetch(url, {
  method: 'POST',
  headers: { 'X-ClickHouse-User': values.user, 'X-ClickHouse-Key': values.password },
  body: values.query ?? readFileSync(0),
});
(response.ok ? process.stdout : process.stderr).write(await response.text());
process.exitCode = response.ok ? 0 : 1;
