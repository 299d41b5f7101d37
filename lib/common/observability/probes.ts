/**
 * The HTTP port for monitoring a service: `/healthz` (it runs), `/readyz` (it accepts work) and `/metrics` (for
 * Prometheus).
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { BigtraceError } from '../errors.ts';
import { type HostCheck, REFUSED_HOST } from '../network/allowed-host.ts';
import { printable } from '../text/byte-text.ts';

/** The numbers of a service's Status. A name that ends with `_ms` is a time in milliseconds. */
export interface Measured {
  /** Numbers that only grow. `tier_X` counts results from X. `store_X_…` is about store X, here and in `gauges`. */
  counters: Record<string, number>;
  gauges: Record<string, number>;
}

export interface ProbedService {
  /** `worker` or `orchestrator`: part of the names of metrics, such as `bigtrace_worker_…`. */
  name: string;
  /** Whether the service accepts new work. */
  isReady(): boolean;
  measure(): Measured;
  /** Descriptions of counters and gauges, by name. */
  help: Record<string, string>;
}

export interface Probes {
  port: number;
  close(): void;
}

/** @throws invalid_option if it cannot listen on `host` and `port` */
export async function startProbes(
  service: ProbedService,
  host: string,
  port: number,
  isAllowedHost: HostCheck,
): Promise<Probes> {
  const process = new Registry();
  collectDefaultMetrics({ register: process });
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const { headers, socket } = request;
    if (!isAllowedHost(headers.host, socket.localAddress))
      respond(response, 403, `${printable(headers.host ?? '')} ${REFUSED_HOST}\n`);
    else if (request.method !== 'GET') respond(response, 405, 'GET only\n');
    else if (path === '/healthz') respond(response, 200, 'ok\n');
    else if (path === '/readyz' && service.isReady()) respond(response, 200, 'ready\n');
    else if (path === '/readyz') respond(response, 503, 'draining\n');
    else if (path === '/metrics') void metrics(response, service, process);
    else respond(response, 404, '/healthz, /readyz and /metrics are here\n');
  });
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BigtraceError('invalid_option', `cannot listen for metrics: ${text}`, { cause });
  }
  server.unref(); // does not keep the process running
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function respond(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain',
): void {
  response.writeHead(status, { 'Content-Type': type }).end(text);
}

async function metrics(
  response: ServerResponse,
  service: ProbedService,
  process: Registry,
): Promise<void> {
  const all = Registry.merge([registryOf(service), process]);
  respond(response, 200, await all.metrics(), all.contentType);
}

function registryOf({ name, help, measure }: ProbedService): Registry {
  const registry = new Registry();
  const { counters, gauges } = measure();
  const metric = (key: string, suffix: string, labels: object) => ({
    name: `bigtrace_${name}_${key.replace(/_ms$/, '_seconds')}${suffix}`,
    help: (help[key] ?? HELP[key] ?? key.replaceAll('_', ' ')).replace('milliseconds', 'seconds'),
    labelNames: Object.keys(labels),
    registers: [registry],
  });
  const counts = new Map<string, Counter>();
  for (const [counter, value] of Object.entries(counters)) {
    const { key, labels } = labelled(counter);
    const count = counts.get(key) ?? new Counter(metric(key, '_total', labels));
    counts.set(key, count);
    count.inc(labels, inUnit(key, value));
  }
  const levels = new Map<string, Gauge>();
  for (const [gauge, value] of Object.entries(gauges)) {
    const { key, labels } = labelled(gauge);
    const level = levels.get(key) ?? new Gauge(metric(key, '', labels));
    levels.set(key, level);
    level.set(labels, inUnit(key, value));
  }
  return registry;
}

const HELP: Record<string, string> = { results: 'results, by their source' };

/** Turns the tier or store in a name into a label of one metric. */
function labelled(name: string): { key: string; labels: Record<string, string> } {
  const [, tier] = /^tier_(.+)$/.exec(name) ?? [];
  if (tier !== undefined) return { key: 'results', labels: { tier } };
  const [, store, what] = /^store_([^_]+)_(.+)$/.exec(name) ?? [];
  if (store !== undefined) return { key: `store_${what}`, labels: { store } };
  return { key: name, labels: {} };
}

/** Converts milliseconds to seconds, Prometheus's unit of time. */
function inUnit(key: string, value: number): number {
  return key.endsWith('_ms') ? value / 1000 : value;
}
