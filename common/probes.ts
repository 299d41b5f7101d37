/**
 * The HTTP port by which a service is watched: `/healthz` (it runs), `/readyz` (it takes work) and
 * `/metrics` (for Prometheus).
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { BigtraceError } from './errors.ts';

/** What the services' Status says, as far as it is measured. Times are in names that end with `_ms`. */
export interface Measured {
  /** What only grows. `tier_X` is how many answers came from X. */
  counters: Record<string, number>;
  gauges: Record<string, number>;
}

export interface ProbedService {
  /** `worker`, `orchestrator`: metrics are `bigtrace_worker_…`. */
  name: string;
  /** Whether it takes new work. */
  isReady(): boolean;
  measure(): Measured;
  /** What a counter or gauge is, by its name. */
  help: Record<string, string>;
}

export interface Probes {
  port: number;
  close(): void;
}

/** @throws invalid_option where it cannot listen there. */
export async function startProbes(
  service: ProbedService,
  host: string,
  port: number,
): Promise<Probes> {
  const process = new Registry();
  collectDefaultMetrics({ register: process });
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET') answer(response, 405, 'GET only\n');
    else if (path === '/healthz') answer(response, 200, 'ok\n');
    else if (path === '/readyz' && service.isReady()) answer(response, 200, 'ready\n');
    else if (path === '/readyz') answer(response, 503, 'draining\n');
    else if (path === '/metrics') void metrics(response, service, process);
    else answer(response, 404, '/healthz, /readyz and /metrics are here\n');
  });
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BigtraceError('invalid_option', `cannot listen for metrics: ${text}`, { cause });
  }
  server.unref(); // it does not keep a service that has ended
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  response.writeHead(status, { 'Content-Type': type }).end(text);
}

async function metrics(
  response: ServerResponse,
  service: ProbedService,
  process: Registry,
): Promise<void> {
  const all = Registry.merge([registryOf(service), process]);
  answer(response, 200, await all.metrics(), all.contentType);
}

function registryOf({ name, help, measure }: ProbedService): Registry {
  const registry = new Registry();
  const registers = [registry];
  const metricOf = (key: string, suffix: string) => ({
    name: `bigtrace_${name}_${key.replace(/_ms$/, '_seconds')}${suffix}`,
    help: (help[key] ?? key.replaceAll('_', ' ')).replace('milliseconds', 'seconds'),
    registers,
  });
  const { counters, gauges } = measure();
  const answers = { ...metricOf('answers', '_total'), help: 'answers, by where they came from' };
  const tiers = Object.entries(counters).filter(([key]) => key.startsWith('tier_'));
  if (tiers.length > 0) {
    const counter = new Counter({ ...answers, labelNames: ['tier'] });
    for (const [key, value] of tiers) counter.inc({ tier: key.slice('tier_'.length) }, value);
  }
  for (const [key, value] of Object.entries(counters))
    if (!key.startsWith('tier_')) new Counter(metricOf(key, '_total')).inc(inUnit(key, value));
  for (const [key, value] of Object.entries(gauges))
    new Gauge(metricOf(key, '')).set(inUnit(key, value));
  return registry;
}

/** Prometheus counts in seconds. */
function inUnit(key: string, value: number): number {
  return key.endsWith('_ms') ? value / 1000 : value;
}
