/** Tests of the console in a real browser with a real system: queries by keyboard, cancelling, screenshots. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { BROWSER } from '../../harness/browser.ts';
import { index } from '../../harness/http-page.ts';
import { type System, startSystem } from '../../harness/system.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const WAIT = { timeout: 60_000, interval: 100 };
const SHOTS = join(ROOT, 'test-results');

/** A file name that contains HTML, which the console must show as text. */
const HOSTILE = '<img src=x onerror=document.title=1>.json';

/** A script that takes about a second on each trace. */
const SLOW = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 2000000)
SELECT max(x) AS n FROM c`;

const EXACT = `SELECT 9223372036854775807 AS big, -9223372036854775807 - 1 AS small, '' AS empty,
  NULL AS missing, '<b>&"' AS markup, char(9) || ' x' AS spaced`;

let traces = '';
let system: System;
let browser: Browser;
let page: Page;
const complaints: string[] = [];
const foreign: string[] = [];

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  traces = mkdtempSync(join(tmpdir(), 'bigtrace-console-'));
  cpSync(join(ROOT, 'samples/traces'), traces, { recursive: true });
  writeFileSync(join(traces, HOSTILE), '{"traceEvents":[{"name":"cut');
  system = await startSystem({ traces, workers: 2, threads: 1 });
  browser = await chromium.launch(BROWSER);
  page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, colorScheme: 'light' });
  page.setDefaultTimeout(WAIT.timeout);
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (logged) => {
    if (logged.type() === 'error') complaints.push(logged.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== system.http) foreign.push(request.url());
  });
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  rmSync(traces, { recursive: true, force: true });
});
beforeEach(async () => {
  complaints.length = 0;
  await page.goto(`${system.http}/`);
  await page.locator('[data-worker] .state[data-state=ready]').nth(1).waitFor();
});

/** Runs a query by keyboard only: `/`, the script, Ctrl+Enter. */
async function runQuery(sql: string): Promise<void> {
  await page.locator('body').press('/');
  expect(await page.evaluate('document.activeElement.id')).toBe('sql');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(sql);
  await page.keyboard.press('ControlOrMeta+Enter');
}

/** The script in the editor, which shows few lines, so that all are in the page. */
const editorText = async (): Promise<string> =>
  (await page.locator('#sql .cm-line').allTextContents()).join('\n');

/** Checks that axe finds no violation, in both themes and on a phone. */
async function accessible(): Promise<void> {
  await page.evaluate(AXE);
  for (const [colorScheme, width] of [
    ['light', 1440],
    ['dark', 360],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 1000 });
    const violations = await page.evaluate(`axe.run().then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ').slice(0, 500)))`);
    expect(violations).toEqual([]);
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate(overflow)).toBe(0);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1440, height: 1000 });
}

const ended = (status: string) => page.locator(`#status[data-state=${status}]`).waitFor();
const texts = (selector: string) => page.locator(selector).allTextContents();

test('the results show exact values, NULL differs from an empty string, and failures are shown as text', async () => {
  await runQuery(EXACT);
  await ended('SUCCESS');
  expect(await page.locator('#status').textContent()).toMatch(
    /^success · 13 of 13 traces · 12 rows/,
  );
  // When a query has ended, the grid reads its rows once more.
  const row = () => texts('#results tr[aria-rowindex="2"] td');
  await expect
    .poll(async () => (await row()).slice(1), WAIT)
    .toEqual(['9223372036854775807', '-9223372036854775808', '', 'NULL', '<b>&"', '\t x']);
  const nulls = () => texts('#results tr[aria-rowindex="2"] td.null');
  await expect.poll(nulls, WAIT).toEqual(['NULL']);
  await accessible();
  expect(await texts('#results thead th small')).toEqual([
    ...['string', 'int64', 'int64', 'string', 'int64', 'string', 'string'],
  ]);

  const failure = page.locator('#failures [data-code=trace_invalid]');
  await failure.waitFor();
  expect(await failure.locator('.number').textContent()).toMatch(/^\d+×$/);
  expect(await failure.locator('.traces li').allTextContents()).toEqual([`/local/${HOSTILE}`]);
  expect(await page.title()).toBe('Bigtrace');
  expect(complaints).toEqual([]);
});

/** Stands in for the Perfetto UI: answers as it does, and shows what it was handed. */
const PERFETTO_UI = `<script>onmessage = ({ data, source, origin }) => {
  if (data === 'PING') source.postMessage('PONG', origin);
  else document.title = data.perfetto.fileName + ' ' + new TextDecoder().decode(data.perfetto.buffer);
}</script>`;

test('the page of a link hands the trace to the Perfetto UI', async () => {
  const context = await browser.newContext();
  await context.route('https://ui.perfetto.dev/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: PERFETTO_UI }),
  );
  const opener = await context.newPage();
  const id = Buffer.from(`/local/${HOSTILE}`).toString('base64url');
  await opener.goto(`${system.http}/open/${id}`);
  expect(await opener.locator('h1').textContent()).toBe(HOSTILE);
  const opened = context.waitForEvent('page');
  await opener.getByRole('button', { name: 'Open it in the Perfetto UI' }).press('Enter');
  const ui = await opened;
  const content = '{"traceEvents":[{"name":"cut';
  await expect.poll(() => ui.title(), WAIT).toBe(`${HOSTILE} ${content}`);
  await opener.getByText('The trace is open in the Perfetto UI.').waitFor();
  await opener.goto(`${system.http}/open/${Buffer.from('/local/nope').toString('base64url')}`);
  await opener.getByText('the trace does not exist').waitFor();
  await context.close();
});

test('the console shows the message of a script error, and marks its place', async () => {
  await runQuery('SELECT name,\n  nonsense\nFROM slice');
  await ended('FAILED');
  expect(await page.locator('#status').textContent()).toContain('no such column: nonsense');
  expect(await texts('#sql .cm-lintRange-error')).toEqual(['nonsense']);
  await accessible();
  expect(await page.locator('#results').isVisible()).toBe(false);
});

test('the editor completes the names of the engine, and includes their modules', async () => {
  const names = page.waitForResponse(/api\/vocabulary/);
  await page.reload();
  await names;
  await page.locator('body').press('/');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('SELECT s.dur FROM thread_sl');
  const option = page.locator('#sql [role=option]');
  const offered = async () => {
    await page.keyboard.press('Control+Space'); // the names may come behind what was typed
    return option.filter({ hasText: 'slices.with_context' }).count();
  };
  await expect.poll(offered, { ...WAIT, interval: 300 }).toBeGreaterThan(0);
  // After the last of the keys, the list accepts no choice until it is complete.
  await page
    .locator('#sql .cm-tooltip-autocomplete:not(.cm-tooltip-autocomplete-disabled)')
    .waitFor();
  expect((await option.allTextContents())[0]).toBe('thread_sliceslices.with_context');
  await page.waitForTimeout(100); // the editor ignores a choice that comes too soon after the list
  await page.keyboard.press('Enter');
  await expect
    .poll(editorText, WAIT)
    .toBe('INCLUDE PERFETTO MODULE slices.with_context;\nSELECT s.dur FROM thread_slice');
  await page.keyboard.type(' AS s WHERE s.thread_d');
  await option.filter({ hasText: 'thread_dur' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.type('ur > 0');
  await page.keyboard.press('ControlOrMeta+Enter');
  await ended('SUCCESS');
  expect(complaints).toEqual([]);
});

test('the grid scrolls and sorts, and charts are drawn, by keyboard alone', async () => {
  await runQuery(`WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100)
    SELECT 'row ' || x AS name, x * x - 9 AS square, x FROM c`);
  await ended('SUCCESS');
  await page
    .locator('#results .range')
    .filter({ hasText: /^1,200 rows$/ })
    .waitFor();
  const cell = (row: number) =>
    page.locator(`#results tr[aria-rowindex="${row + 1}"][aria-busy=false] td`).nth(2);
  await cell(1).waitFor();
  expect(await page.locator('#results tbody tr').count()).toBeLessThan(100);
  expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe('1201');
  await cell(1).focus();
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => page.evaluate('document.activeElement.textContent'), WAIT).toBe('-5');
  await page.keyboard.press('Control+End');
  await expect
    .poll(() => page.evaluate('document.activeElement.parentElement.ariaRowIndex'), WAIT)
    .toBe('1201');

  const sort = page.getByRole('button', { name: 'Sort by square' });
  await sort.press('Enter');
  await expect.poll(() => cell(1).textContent(), WAIT).toBe('-8');
  expect(await page.evaluate('document.activeElement.dataset.column')).toBe('square');
  await page.keyboard.press('Enter');
  await expect.poll(() => cell(1).textContent(), WAIT).toBe('9991');
  expect(await page.locator('th[aria-sort=descending]').textContent()).toContain('square ▼');
  const id = Buffer.from('/local/').toString('base64url').slice(0, 8);
  const link = page.locator('#results tr[aria-rowindex="2"] td').first().getByRole('link');
  expect(await link.getAttribute('href')).toContain(`open/${id}`);

  const view = page.getByRole('combobox', { name: 'View' });
  await view.selectOption('Bars');
  await expect.poll(() => page.locator('.chart rect').count(), WAIT).toBe(30);
  expect(await texts('.chart .value')).toContain('9991');
  await view.selectOption('Histogram');
  await page.getByRole('img', { name: /^Histogram of square: 40 bins/ }).waitFor();
  await accessible();
  await view.selectOption('Scatter');
  await page.getByRole('img', { name: 'square against x: 1,200 points' }).waitFor();
  expect(complaints).toEqual([]);
});

test('the rows can be downloaded as CSV and as Parquet', async () => {
  await runQuery("SELECT 9007199254740993 AS big, '' AS empty, NULL AS missing, '<b>&' AS markup");
  await ended('SUCCESS');
  const download = async (name: string) => {
    const file = page.waitForEvent('download');
    await page.getByRole('link', { name: `Download as ${name}` }).press('Enter');
    return readFileSync(await (await file).path());
  };
  const lines = (await download('CSV')).toString().trimEnd().split('\n');
  expect(lines[0]).toBe('"_trace_address","big","empty","missing","markup"');
  expect(lines).toHaveLength(13);
  expect(lines[1]).toMatch(/^"\/local\/[^"]*",9007199254740993,"",\\N,"<b>&"$/);
  const parquet = await download('Parquet');
  expect([parquet.subarray(0, 4), parquet.subarray(-4)].map(String)).toEqual(['PAR1', 'PAR1']);
  expect(complaints).toEqual([]);
});

test('the progress bar advances, and Escape cancels the query on the workers', async () => {
  await runQuery(SLOW.replace('2000000', '3000000'));
  // Column finding runs first, over a few of the traces only.
  const bar = page.locator('[data-query]', { hasText: 'of 13 traces' }).locator('progress');
  const value = async () => Number(await bar.getAttribute('value'));
  await expect.poll(value, WAIT).toBeGreaterThan(0);
  const before = await value();
  await expect.poll(value, WAIT).toBeGreaterThan(before);

  await page.keyboard.press('Escape');
  await ended('CANCELLED');
  await expect.poll(() => page.locator('[data-query]').count(), WAIT).toBe(0);
  const idle = page.locator('[data-worker]', { hasText: '0 of 1 busy, 0 queued' });
  await expect.poll(() => idle.count(), WAIT).toBe(2);

  const state = page.locator('#history [data-execution] .state').first();
  await expect.poll(() => state.textContent(), WAIT).toBe('cancelled');
});

test('traces of the catalog can be filtered, picked and asked', async () => {
  await index(system);
  await page.getByRole('link', { name: 'Catalog' }).press('Enter');
  await page
    .locator('#range')
    .filter({ hasText: /^1[23] traces$/ })
    .waitFor();
  await page.locator('#where').fill("address LIKE '%/chrome/%'");
  await page.locator('#where').press('Enter');
  await page
    .locator('#range')
    .filter({ hasText: /^[1-9] traces$/ })
    .waitFor();
  const first = page.locator('tr[aria-rowindex="2"] td').first();
  await first.filter({ hasText: '/local/chrome/' }).waitFor();
  const address = (await first.textContent()) ?? '';
  await first.focus();
  await page.keyboard.press('Space');
  expect(await page.locator('tr[aria-selected=true]').count()).toBe(1);
  await accessible();
  await page.getByRole('button', { name: 'Ask 1 picked trace' }).press('Enter');
  await page.waitForURL(`${system.http}/`);
  await expect.poll(() => page.locator('#traces').inputValue(), WAIT).toBe(address);
  await page.evaluate('localStorage.clear()');
  expect(complaints).toEqual([]);
});

test('the console shows queries that run through ClickHouse, and can cancel them', async () => {
  const running = system.sql(
    `SELECT count() FROM bigtrace_lenient(traces=['/local/**'], sql='${SLOW.replace('2000000', '4000000')}')`,
  );
  const error = running.then(
    (rows) => `answered ${rows}`,
    (thrown: Error) => thrown.message,
  );
  const card = page.locator('[data-query]', { hasText: 'of 13 traces' });
  await card.filter({ hasText: 'WITH RECURSIVE' }).getByRole('button').press('Enter');
  expect(await error).toContain('was cancelled');
  await expect.poll(() => page.locator('[data-query]').count(), WAIT).toBe(0);
});

test('an earlier query can be opened again and deleted', async () => {
  const entries = page.locator('#history [data-execution]', { hasText: '9223372036854775807' });
  await entries.getByRole('button', { name: 'Open' }).press('Enter');
  await page.locator('#results td', { hasText: '-9223372036854775808' }).first().waitFor();
  await expect.poll(editorText, WAIT).toBe(EXACT);
  await entries.getByRole('button', { name: 'Delete' }).press('Enter');
  await expect.poll(() => entries.count(), WAIT).toBe(0);
});

test('a preset fills the input, and links lead to ClickHouse and the BigTrace UI', async () => {
  const options = page.locator('#preset optgroup option');
  await expect.poll(() => options.count(), WAIT).toBeGreaterThanOrEqual(15);
  await page.locator('#sql .cm-content').fill('');
  await page.locator('#preset').selectOption({ index: 1 });
  expect(await editorText()).toMatch(/SELECT/i);
  const linkOf = (name: string) => page.getByRole('link', { name }).getAttribute('href');
  expect(await linkOf('ClickHouse')).toBe(`${system.clickhouseHttp}/play`);
  expect(await linkOf('BigTrace UI')).toBe(
    `https://ui.perfetto.dev/bigtrace.html?server=${encodeURIComponent(system.http)}`,
  );
});

test('every control has an accessible name, and the theme button switches themes', async () => {
  const unnamed =
    await page.evaluate(`[...document.querySelectorAll('button, input, select, textarea, progress')]
    .filter((one) => !one.labels?.length && !one.getAttribute('aria-label') && !one.textContent)
    .map((one) => one.outerHTML)`);
  expect(unnamed).toEqual([]);
  const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const light = await background();
  const theme = page.getByRole('button', { name: 'Colours' });
  await theme.press('Enter'); // light
  await theme.press('Enter'); // dark
  expect(await background()).not.toBe(light);
  await theme.press('Enter'); // the system's theme
  expect(await background()).toBe(light);
});

test('screenshots in both themes are taken during a query, without errors or foreign requests', async () => {
  await runQuery(`SELECT name, count(*) AS n, sum(dur) / 1e6 AS total_ms, max(dur) AS longest
FROM slice
GROUP BY name
ORDER BY total_ms DESC
LIMIT 20`);
  await ended('SUCCESS');
  await page.locator('#results .range').filter({ hasText: '86 rows' }).waitFor();
  const running = system.sql(
    `SELECT count() FROM bigtrace_lenient(traces=['/local/**'], sql='${SLOW}')`,
  );
  const card = page.locator('[data-query]', { hasText: 'WITH RECURSIVE' });
  const bar = card.filter({ hasText: 'of 13 traces' });
  const value = async () => Number(await bar.locator('progress').getAttribute('value'));
  await expect.poll(value, WAIT).toBeGreaterThan(0.3);
  await page.screenshot({ path: join(SHOTS, 'console-light.png') });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.screenshot({ path: join(SHOTS, 'console-dark.png') });
  expect(await running).toBe('12\n');
  expect(foreign).toEqual([]);
  expect(complaints).toEqual([]);
});
