/** Tests `bigtrace mcp` with the client of the official SDK, over stdio and HTTP, against a whole system. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { index } from '../test/harness/http-page.ts';
import { type System, startSystem } from '../test/harness/system.ts';

const PROGRAM = new URL('../cli/bigtrace.mjs', import.meta.url).pathname;
const IDLE = '/local/linux/idle.pftrace';
const ENDLESS =
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) AS x FROM c';

let system: System;
let service: ChildProcess;
let url: URL;
const clients: Record<'stdio' | 'http', Client> = {
  stdio: new Client({ name: 'test', version: '1' }),
  http: new Client({ name: 'test', version: '1' }),
};

function flags(): string[] {
  const peers = ['--clickhouse', system.clickhouseHttp, '--orchestrator', system.orchestrator];
  return ['mcp', ...peers, '--http-api', system.http, '--max-traces', '50', '--max-seconds', '300'];
}

function headers(password: string, user = 'analyst'): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

beforeAll(async () => {
  system = await startSystem({ workers: 1, threads: 2 });
  await index(system);
  await clients.stdio.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [PROGRAM, ...flags()],
      env: { PATH: process.env['PATH'] ?? '', BIGTRACE_ANALYST_PASSWORD: system.analystPassword },
    }),
  );
  service = spawn(process.execPath, [PROGRAM, ...flags(), '--http', '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(
    createInterface({ input: service.stdout as NodeJS.ReadableStream }),
    'line',
  );
  url = new URL((JSON.parse(String(line)) as { http: string }).http);
  const requestInit = { headers: headers(system.analystPassword) };
  await clients.http.connect(new StreamableHTTPClientTransport(url, { requestInit }));
});

afterAll(async () => {
  await Promise.all([clients.stdio.close(), clients.http.close()]);
  const ended = once(service, 'exit');
  service.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
  await system.stop();
});

type Over = keyof typeof clients;

async function call(over: Over, name: string, input: object): Promise<CallToolResult> {
  return (await clients[over].callTool({ name, arguments: { ...input } })) as CallToolResult;
}

/** Returns the structured result, which the text repeats. */
async function answer<T extends object>(over: Over, name: string, input: object): Promise<T> {
  const { content, structuredContent, isError } = await call(over, name, input);
  const [first] = content;
  const text = first?.type === 'text' ? first.text : '';
  expect(isError, text).not.toBe(true);
  expect(JSON.parse(text)).toEqual(structuredContent);
  return structuredContent as T;
}

async function errorText(over: Over, name: string, input: object): Promise<string> {
  const { content, isError } = await call(over, name, input);
  expect(isError).toBe(true);
  return content[0]?.type === 'text' ? content[0].text : '';
}

const OVERS = ['stdio', 'http'] as const;

describe.each(OVERS)('runs over %s', (over) => {
  test('all tools say that they only read', async () => {
    const { tools } = await clients[over].listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(
      ['cite', 'describe_traces', 'estimate', 'fetch_page', 'run', 'search', 'try_script'].sort(),
    );
    for (const { annotations } of tools) expect(annotations?.readOnlyHint).toBe(true);
  });

  test('a run returns exact rows in pages, with links to their traces', async () => {
    const sql = `SELECT 9223372036854775807 AS n, NULL AS absent, value FROM (
      WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM c WHERE value < 120) SELECT value FROM c)`;
    const first = await answer<{
      run_id: string;
      rows: unknown[][];
      next_offset: number;
      citations: unknown[];
    }>(over, 'run', { traces: [IDLE], sql, page_rows: 100 });
    expect(first).toMatchObject({ total_rows: 120, next_offset: 100, traces: 1, traces_failed: 0 });
    expect(first.rows[0]).toEqual([IDLE, '9223372036854775807', null, '1']);
    const link = `${system.http}/open/${Buffer.from(IDLE).toString('base64url')}`;
    expect(first.citations).toEqual([{ trace: IDLE, link }]);
    const page = { run_id: first.run_id, offset: first.next_offset, limit: 100 };
    const last = await answer<{ rows: unknown[][] }>(over, 'fetch_page', page);
    expect(last.rows.map(([, , , value]) => value)).toEqual(
      Array.from({ length: 20 }, (_, nth) => String(101 + nth)),
    );
    expect(last).not.toHaveProperty('next_offset');
  });

  test('an error of the script is what TraceProcessor says', async () => {
    const input = { traces: [IDLE], sql: 'SELECT nix FROM slice' };
    expect(await errorText(over, 'try_script', input)).toMatch(
      /idle\.pftrace\]: no such column: nix/,
    );
  });

  test('a run beyond its budget is refused, or ends', async () => {
    const all = { traces: ['/local/**'], sql: 'SELECT 1 AS one' };
    expect(await errorText(over, 'run', { ...all, max_traces: 1 })).toMatch(
      /^\d+ traces are selected, more than max_traces \(1\)/,
    );
    expect(await errorText(over, 'run', { ...all, max_traces: 51 })).toContain(
      'max_traces is 51, more than this server allows (50)',
    );
    const few = await answer(over, 'run', { ...all, max_rows: 2 });
    expect(few).toMatchObject({ total_rows: 2, rows_missing: expect.any(String) });
    const endless = { traces: [IDLE], sql: ENDLESS, max_seconds: 1 };
    expect(await errorText(over, 'run', endless)).toMatch(/deadline_exceeded/);
  });

  test('cancelling a call ends its query', async () => {
    const abort = new AbortController();
    const running = clients[over].callTool(
      { name: 'run', arguments: { traces: [IDLE], sql: ENDLESS, max_seconds: 300 } },
      undefined,
      { signal: abort.signal },
    );
    const queries = "SELECT count() FROM system.processes WHERE query_id LIKE 'mcp-%'";
    const until = async (count: string): Promise<void> => {
      await expect.poll(() => system.sql(queries), { timeout: 60_000, interval: 100 }).toBe(count);
    };
    await until('1\n');
    abort.abort();
    await expect(running).rejects.toThrow();
    await until('0\n');
  });
});

describe.each(OVERS)('names and traces over %s', (over) => {
  test('the catalog is described, selected from, sampled and estimated', async () => {
    const described = await answer<{ columns: { name: string }[]; totals: { traces: string } }>(
      ...([over, 'describe_traces', { where: "address LIKE '%linux%'" }] as const),
    );
    expect(described.columns.map(({ name }) => name)).toContain('duration');
    const count = Number(described.totals.traces);
    expect(count).toBeGreaterThan(1);
    const input = { where: "address LIKE '%linux%'", sql: 'SELECT count(*) AS n FROM sched' };
    const tried = await answer(over, 'try_script', { ...input, sample: 1 });
    expect(tried).toMatchObject({ sample_rows: 1, traces_selected: count });
    const estimated = await answer(over, 'estimate', input);
    expect(estimated).toMatchObject({ traces: count, estimated_rows: count, engine_threads: 2 });
    expect(await errorText(over, 'run', { ...input, where: 'nix = 1' })).toContain('nix');
  });

  test('names are found', async () => {
    const found = (text: string, kinds: string[]) =>
      answer<{ found: { name: string }[] }>(over, 'search', { text, kinds });
    expect((await found('sched_slice', ['table'])).found.length).toBeGreaterThan(0);
    expect((await found('longest slices', ['preset'])).found).toMatchObject([
      { name: 'Longest slices' },
    ]);
    expect((await found('slices.with_context', ['module'])).found).toMatchObject([
      { name: 'slices.with_context' },
    ]);
    expect((await found('bigtrace_lenient(', ['view'])).found.length).toBe(1);
  });

  test('traces are cited', async () => {
    const { citations } = await answer<{ citations: object[] }>(over, 'cite', { traces: [IDLE] });
    expect(citations).toMatchObject([{ trace: IDLE, catalog: { verdict: expect.any(String) } }]);
  });
});

test('over HTTP, a client needs a login, and a session belongs to its own', async () => {
  const connect = (requestInit: RequestInit) =>
    new Client({ name: 'test', version: '1' }).connect(
      new StreamableHTTPClientTransport(url, { requestInit }),
    );
  await expect(connect({})).rejects.toThrow('log in as a user of ClickHouse');
  await expect(connect({ headers: headers('wrong') })).rejects.toThrow(/Authentication failed/);
  const { sessionId = '' } = clients.http.transport ?? {};
  const foreign = await fetch(url, {
    method: 'POST',
    headers: { ...headers('wrong'), 'mcp-session-id': sessionId },
    body: '{}',
  });
  expect(foreign.status).toBe(404);
  const page = await fetch(url, { headers: { origin: 'https://example.com' } });
  expect(page.status).toBe(403);
});

test('traces are listed for users who may query them', async () => {
  // The only user with a password who may read the catalog, and query no trace.
  const user = 'bigtrace_catalog';
  const password = readFileSync(join(system.dataDir, 'service.password'), 'utf8').trim();
  const reader = new Client({ name: 'test', version: '1' });
  const requestInit = { headers: headers(password, user) };
  await reader.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  const tried = (input: Record<string, unknown>) =>
    reader.callTool({ name: 'estimate', arguments: { sql: 'SELECT 1 AS n', ...input } });
  expect(await tried({ traces: ['/local/**'] })).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining(`user ${user} may not list traces`) }],
  });
  await reader.close();
});
