/** The served BigTrace page asks the service that serves it. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { addPerfettoUi, perfettoUiIn, withEndpoint } from './perfetto-ui.ts';

const OWN = `window.page = 'upstream';`;
const HTML = `<!doctype html>\n<html><head><title>t</title></head><body><script>${OWN}</script></body></html>`;
const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The scripts of the page. */
function scriptsOf(html: string): string[] {
  return [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, text = '']) => text);
}

/** What the page's storage has after its first script ran, if it had `before`. */
function stored(html: string, before: string | null): unknown {
  let after = '';
  const localStorage = {
    getItem: () => before,
    setItem: (key: string, value: string) => {
      after = `${key} ${value}`;
    },
  };
  runInNewContext(scriptsOf(html)[0] ?? '', { localStorage });
  return JSON.parse(after.replace(/^bigtraceSettings /, ''));
}

test('the BigTrace page is served with its endpoint set, and its policy allows both scripts', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-ui-'));
  writeFileSync(join(directory, 'bigtrace.html'), HTML);
  const app = Fastify({ routerOptions: { ignoreTrailingSlash: true } });
  await addPerfettoUi(app, perfettoUiIn(directory), () => 'http://b.example/x');
  const { body, headers } = await app.inject('/bigtrace/?server=http://b.example/x');
  const [first = '', ...others] = scriptsOf(body);
  expect(others).toEqual([OWN]);
  expect(body.replace(`<script>${first}</script>`, '')).toBe(HTML);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(headers['content-security-policy']).toContain(
    `script-src 'self' 'wasm-unsafe-eval' ${hash(first)} ${hash(OWN)};`,
  );
  expect(stored(body, null)).toEqual({ bigtraceEndpoint: 'http://b.example/x' });
  await app.close();
  rmSync(directory, { recursive: true });
});

test('a redirect to the page of the UI keeps the whole query', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-ui-'));
  writeFileSync(join(directory, 'index.html'), HTML);
  const app = Fastify({ routerOptions: { ignoreTrailingSlash: true } });
  await addPerfettoUi(app, perfettoUiIn(directory), () => 'http://b.example/x');
  const { headers } = await app.inject('/perfetto?url=http://h/trace?version=1&b=2');
  expect(headers['location']).toBe('/x/perfetto/?url=http://h/trace?version=1&b=2');
  const plain = await app.inject('/perfetto');
  expect(plain.headers['location']).toBe('/x/perfetto/');
  await app.close();
  rmSync(directory, { recursive: true });
});

test.each([
  ['{"theme":"dark","bigtraceEndpoint":"https://google"}', { theme: 'dark' }],
  ['no JSON', {}],
])('the endpoint takes its place in the stored settings %s', (before, kept) => {
  const endpoint = 'http://h/</script><script>"';
  const html = withEndpoint(HTML, endpoint);
  expect(scriptsOf(html)).toHaveLength(2);
  expect(stored(html, before)).toEqual({ ...kept, bigtraceEndpoint: endpoint });
});
