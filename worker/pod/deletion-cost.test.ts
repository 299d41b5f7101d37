import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { tempDir } from '../testing/worker.ts';
import { cacheWorth, isNotable } from './cache-worth.ts';
import { ANNOTATION, reportDeletionCost } from './deletion-cost.ts';
import { PodAnnotation } from './pod-annotation.ts';

const MIB = 2 ** 20;
const SOON = { timeout: 20_000 };

test('a worker is worth the memory of its loaded traces, its snapshots and its results', () => {
  expect(cacheWorth({})).toBe(0);
  expect(cacheWorth({ loaded_traces: 0, loaded_bytes: 90 * MIB })).toBe(0); // engines without a trace
  const gauges = { loaded_traces: 2, loaded_bytes: 100 * MIB, snapshots_bytes: 20 * MIB };
  expect(cacheWorth({ ...gauges, results_bytes: 3 * MIB, results_on_disk_bytes: MIB })).toBe(124);
  expect(cacheWorth({ snapshots_bytes: 2 ** 60 })).toBe(2 ** 31 - 1);
});

test('a change of more than an eighth is notable', () => {
  expect([isNotable(0, 0), isNotable(0, 1)]).toEqual([false, true]);
  expect([isNotable(80, 90), isNotable(80, 91)]).toEqual([false, true]);
  expect([isNotable(80, 70), isNotable(80, 69)]).toEqual([false, true]);
});

interface Patch {
  line: string;
  type: string | undefined;
  token: string | undefined;
  body: unknown;
}

/** An API server of which the worker uses one request. */
async function startApi(directory: string, respond: (response: ServerResponse) => void) {
  const key = join(directory, 'server.key');
  const ca = join(directory, 'ca.crt');
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=api'].concat([
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      ca,
    ]),
    { stdio: 'ignore' },
  );
  writeFileSync(join(directory, 'token'), 'first\n');
  const patches: Patch[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    patches.push({
      line: `${request.method} ${request.url}`,
      type: request.headers['content-type'],
      token: request.headers.authorization,
      body: JSON.parse(await text(request)),
    });
    respond(response);
  };
  const server = createServer(
    { key: readFileSync(key), cert: readFileSync(ca) },
    (request, response) => void handle(request, response),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const annotation = new PodAnnotation({
    pod: 'bigtrace/worker-1',
    server: `https://127.0.0.1:${port}`,
    credentials: directory,
  });
  const close = (): void => {
    annotation.close();
    server.close();
  };
  return { patches, annotation, host: `127.0.0.1:${port}`, [Symbol.dispose]: close };
}

test('the cost is a merge patch of one annotation of the own pod, with the current token', async () => {
  await using directory = await tempDir();
  using api = await startApi(directory.path, (response) => response.end('{}'));
  await api.annotation.set(ANNOTATION, '7');
  writeFileSync(join(directory.path, 'token'), 'second, longer\n');
  await api.annotation.set(ANNOTATION, '8');
  const patch = (token: string, value: string): Patch => ({
    line: 'PATCH /api/v1/namespaces/bigtrace/pods/worker-1',
    type: 'application/merge-patch+json',
    token: `Bearer ${token}`,
    body: { metadata: { annotations: { [ANNOTATION]: value } } },
  });
  expect(api.patches).toEqual([patch('first', '7'), patch('second, longer', '8')]);
});

test('a refusal names the pod and the reason', async () => {
  await using directory = await tempDir();
  using api = await startApi(directory.path, (response) => {
    response.statusCode = 403;
    response.end(JSON.stringify({ kind: 'Status', message: 'pods "worker-1" is forbidden' }));
  });
  await expect(api.annotation.set(ANNOTATION, '7')).rejects.toThrow(
    `${api.host} refused a change of /api/v1/namespaces/bigtrace/pods/worker-1 with status 403: pods "worker-1" is forbidden`,
  );
});

test('notable changes are reported, and a failure is logged once and repeated until it succeeds', async () => {
  const logged: string[] = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      logged.push(JSON.parse(String(line)).err.message);
      done();
    },
  });
  let bytes = 0;
  let failures = 0;
  let looks = 0;
  const values: string[] = [];
  const stop = reportDeletionCost({
    gauges: () => {
      looks += 1;
      return { snapshots_bytes: bytes };
    },
    annotate: async (_name, value) => {
      if (failures-- > 0) throw new Error(`refused ${value}`);
      values.push(value);
    },
    logger: pino({ level: 'info' }, stream),
    intervalMs: 1,
  });
  await expect.poll(() => looks, SOON).toBeGreaterThan(2);
  expect(values).toEqual([]); // 0, as without the annotation
  failures = 2;
  bytes = 80 * MIB;
  await expect.poll(() => values, SOON).toEqual(['80']);
  expect(logged).toEqual(['refused 80']);
  bytes = 85 * MIB;
  const before = looks;
  await expect.poll(() => looks, SOON).toBeGreaterThan(before + 2);
  bytes = 10 * MIB;
  await expect.poll(() => values, SOON).toEqual(['80', '10']);
  stop();
});
