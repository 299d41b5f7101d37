import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostCheck } from '../network/allowed-host.ts';
import { type Probes, startProbes } from './probes.ts';

let ready = true;
let probes: Probes;
beforeAll(async () => {
  probes = await startProbes(
    {
      name: 'worker',
      isReady: () => ready,
      measure: () => ({
        counters: { rows: 12, parse_ms: 1500, tier_parse: 3, tier_snapshot: 4 },
        gauges: { results_bytes: 7 },
      }),
      help: { rows: 'rows sent', parse_ms: 'milliseconds spent parsing' },
    },
    '127.0.0.1',
    0,
    hostCheck({ allowed: [] }),
  );
});
afterAll(() => probes.close());

const get = (path: string, method = 'GET'): Promise<Response> =>
  fetch(`http://127.0.0.1:${probes.port}${path}`, { method });

it('rejects a request with a host name that a stranger can own', async () => {
  const statusFor = async (host: string): Promise<number | undefined> => {
    const request = httpRequest({ port: probes.port, path: '/metrics', headers: { host } }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  expect(await statusFor('evil.example')).toBe(403);
  expect(await statusFor(`10.1.2.3:${probes.port}`)).toBe(200);
});

it('reports whether the service runs, and whether it is ready', async () => {
  expect([(await get('/healthz')).status, (await get('/readyz')).status]).toEqual([200, 200]);
  ready = false;
  expect([(await get('/healthz')).status, (await get('/readyz')).status]).toEqual([200, 503]);
});

it('serves metrics with the names and units of Prometheus, and those of the process', async () => {
  const response = await get('/metrics');
  expect(response.headers.get('Content-Type')).toMatch(/^text\/plain; version=/);
  const text = await response.text();
  expect(text).toContain('# HELP bigtrace_worker_rows_total rows sent\n');
  expect(text).toContain('# TYPE bigtrace_worker_rows_total counter\n');
  expect(text).toContain('bigtrace_worker_rows_total 12\n');
  expect(text).toContain('# HELP bigtrace_worker_parse_seconds_total seconds spent parsing\n');
  expect(text).toContain('bigtrace_worker_parse_seconds_total 1.5\n');
  expect(text).toContain('bigtrace_worker_results_total{tier="parse"} 3\n');
  expect(text).toContain('bigtrace_worker_results_total{tier="snapshot"} 4\n');
  expect(text).not.toContain('tier_');
  expect(text).toContain('bigtrace_worker_results_bytes 7\n');
  expect(text).toContain('process_resident_memory_bytes ');
});

it('rejects other paths and methods', async () => {
  expect((await get('/')).status).toBe(404);
  expect((await get('/metrics', 'POST')).status).toBe(405);
});

it('a port that is in use is an error with the code EADDRINUSE in its message', async () => {
  const service = { name: 'a', isReady: () => true, measure: () => ({ counters: {}, gauges: {} }) };
  await expect(
    startProbes({ ...service, help: {} }, '127.0.0.1', probes.port, hostCheck({ allowed: [] })),
  ).rejects.toMatchObject({
    code: 'invalid_option',
    message: expect.stringContaining('EADDRINUSE'),
  });
});
