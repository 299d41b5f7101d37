/** Helpers for tests of the HTTP backend: small traces with known content, and the calls of Perfetto's page. */
import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ROOT } from '../../lib/common/root.ts';
import type { System } from './system.ts';

export interface PageResponse {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests access the fields of any response
  body: any;
  headers: Headers;
}

/** How long a page with several replicas looks for one that responds. */
const FAILOVER_MS_MAX = 180_000;

export class BigtracePage {
  readonly #urls: string[];
  #calls = 0;

  /** @param replicas each call goes to the next one, and to the others if that one does not respond, or with 503 */
  constructor(...replicas: Pick<System, 'http'>[]) {
    this.#urls = replicas.map(({ http }) => http);
  }

  get(path: string, init: RequestInit = {}): Promise<PageResponse> {
    return this.#send(path, init);
  }

  post(path: string, body: object, init: RequestInit = {}): Promise<PageResponse> {
    const headers = { 'Content-Type': 'application/json', ...init.headers };
    return this.#send(path, { ...init, method: 'POST', body: JSON.stringify(body), headers });
  }

  delete(path: string): Promise<PageResponse> {
    return this.#send(path, { method: 'DELETE' });
  }

  /** Submits a query and polls its status, as the page does, until it has ended. */
  async run(body: object): Promise<{ uuid: string; status: PageResponse['body'] }> {
    const { body: submitted } = await this.post('/execute_bigtrace_query_async', body);
    if (submitted.queryUuid === undefined) throw new Error(submitted.detail);
    const uuid = String(submitted.queryUuid);
    return { uuid, status: await this.until(uuid, ({ status }) => status !== 'IN_PROGRESS') };
  }

  async until(
    uuid: string,
    isSo: (status: PageResponse['body']) => boolean,
  ): Promise<PageResponse['body']> {
    const giveUp = performance.now() + 300_000;
    for (;;) {
      const { body } = await this.get(`/query_executions/${uuid}:status`);
      if (isSo(body)) return body;
      if (performance.now() > giveUp) throw new Error(`still ${JSON.stringify(body)}`);
      await sleep(100);
    }
  }

  async #send(path: string, init: RequestInit): Promise<PageResponse> {
    const giveUp = performance.now() + FAILOVER_MS_MAX;
    for (;;) {
      const isLast = this.#urls.length === 1 || performance.now() > giveUp;
      const url = this.#urls[this.#calls++ % this.#urls.length];
      try {
        const response = await send(`${url}${path}`, init);
        if (response.status !== 503 || isLast) return response;
      } catch (thrown) {
        if (isLast) throw thrown;
      }
      await sleep(100);
    }
  }
}

async function send(url: string, init: RequestInit): Promise<PageResponse> {
  const response = await fetch(url, init);
  const text = await response.text();
  return {
    status: response.status,
    body: text === '' ? undefined : JSON.parse(text),
    headers: response.headers,
  };
}

/**
 * Writes JSON traces to a new directory and returns its path.
 * @param traces slice names by file name; the slices of a trace have durations of 1, 2, 3 … µs
 */
export function writeTraces(traces: Record<string, string[]>): string {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-http-'));
  for (const [name, slices] of Object.entries(traces)) {
    const traceEvents = slices.map((slice, at) => ({
      ...{ ph: 'X', cat: 'test', pid: 1, tid: 1, name: slice, ts: 1000 * (at + 1), dur: at + 1 },
    }));
    writeFileSync(join(directory, name), JSON.stringify({ traceEvents }));
  }
  return directory;
}

/** Runs `bigtrace index` over all traces of the system. */
export async function index(system: System, ...args: string[]): Promise<void> {
  const flags = ['--orchestrator', system.orchestrator, '--clickhouse', system.clickhouseHttp];
  await promisify(execFile)(
    process.execPath,
    [join(ROOT, 'cli/bigtrace.mjs'), 'index', '/local/**', ...flags, ...args],
    { env: { ...process.env, BIGTRACE_ADMIN_PASSWORD: system.adminPassword } },
  );
}

export function valuesOf(body: PageResponse['body']): (string | null)[][] {
  return body.rows.map(({ values }: { values: (string | null)[] }) => values);
}
