import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { type UpFlags, upConfig } from './config.ts';

const FLAGS: UpFlags = {
  dataDir: 'data',
  traces: 'traces',
  listen: '127.0.0.1',
  clickhouseHttpPort: 8123,
  clickhouseTcpPort: 9000,
  orchestratorPort: 5051,
  httpPort: 5001,
  workerPort: 5052,
  workers: 2,
  engineRuntime: 'v8',
};

const GIB = 2 ** 30;

it('fills in all values', () => {
  expect(upConfig(FLAGS, { cores: 5, memoryBytes: 10 * GIB })).toEqual({
    dataDir: resolve('data'),
    tracesDir: resolve('traces'),
    listen: '127.0.0.1',
    insecure: false,
    clickhouseHttpPort: 8123,
    clickhouseTcpPort: 9000,
    orchestratorPort: 5051,
    httpPort: 5001,
    workerPorts: [5052, 5053],
    threadsPerWorker: 3,
    memoryBytesPerWorker: 2 * GIB,
    clickhouseUrl: undefined,
    runtime: { runtime: 'v8', addons: resolve('data/engines/native') },
    sqlPackages: [],
    json: false,
  });
});

it('rejects a non-loopback address without --insecure', () => {
  expect(() => upConfig({ ...FLAGS, listen: '0.0.0.0' })).toThrow(
    '--listen 0.0.0.0 accepts connections from other machines, and the orchestrator and the workers do not authenticate them',
  );
  expect(upConfig({ ...FLAGS, listen: '0.0.0.0', insecure: true }).insecure).toBe(true);
});

it('lets every worker pick a free port', () => {
  expect(upConfig({ ...FLAGS, workerPort: 0, workers: 3 }).workerPorts).toEqual([0, 0, 0]);
});

it('divides memory and processors among the workers', () => {
  const of = (cores: number, gib: number, flags: Partial<UpFlags> = {}) => {
    const machine = { cores, memoryBytes: gib * GIB };
    const { threadsPerWorker, memoryBytesPerWorker } = upConfig({ ...FLAGS, ...flags }, machine);
    return [threadsPerWorker, memoryBytesPerWorker / GIB];
  };
  expect(of(64, 10)).toEqual([4, 2]); // the memory holds four ordinary traces per worker
  expect(of(4, 100)).toEqual([2, 20]);
  expect(of(4, 100, { workers: 8 })).toEqual([1, 5]);
  expect(of(4, 100, { workers: 8, threads: 3 })).toEqual([3, 5]);
  expect(of(8, 100, { memoryBytes: GIB / 2 })).toEqual([1, 0.5]);
  expect(() => of(4, 1, { workers: 10 })).toThrow(
    'each of 10 workers (--workers) has 42949672 bytes of memory for loaded traces, but an engine needs at least 67108864: ' +
      'start fewer workers, or raise --memory-bytes',
  );
});

it('names the flags whose ports exceed 65535', () => {
  expect(() => upConfig({ ...FLAGS, workerPort: 65_530, workers: 10 })).toThrow(
    '--worker-port 65530 with --workers 10 needs ports up to 65539, but the highest port is 65535',
  );
});

it('accepts the URL of an external server', () => {
  expect(upConfig({ ...FLAGS, clickhouse: 'http://db:8123' }).clickhouseUrl).toBe('http://db:8123');
  expect(() => upConfig({ ...FLAGS, clickhouse: 'db:8123' })).toThrow(
    '--clickhouse db:8123 must be a URL, such as http://127.0.0.1:8123',
  );
});
