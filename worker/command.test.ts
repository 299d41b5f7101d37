import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { thisMachine } from '../lib/common/machine.ts';
import { workerCommand, workerConfig } from './command.ts';
import { checkConfig, LIMIT_DEFAULTS, type WorkerConfig } from './config.ts';

const GIB = 2 ** 30;

function parsed(flags: string[], env: Record<string, string> = {}): WorkerConfig {
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    const command = workerCommand('/nowhere')
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .action(() => {});
    command.parse(flags, { from: 'user' });
    return workerConfig(command, '/nowhere');
  } finally {
    process.env = before;
  }
}

test('without flags, every option has its documented default', () => {
  const config = parsed([]);
  expect(config).toMatchObject({
    listen: '127.0.0.1:5052',
    stores: {},
    cacheDir: undefined,
    readCacheDirs: [],
    cacheBytesMax: 20 * GIB,
    uncompressedBytesMax: 0,
    sharedSnapshots: undefined,
    resultCacheDir: undefined,
    readResultCacheDirs: [],
    resultCacheBytesMax: GIB,
    limits: { ...LIMIT_DEFAULTS, memoryBytesMax: expect.any(Number) },
    drainMs: 30_000,
    logLevel: 'info',
    json: false,
    runtime: { runtime: 'v8', addons: '/nowhere/engines/native' },
  });
  expect(config.threads).toBeGreaterThan(0);
  expect(config.memoryBytesMax).toBeGreaterThan(GIB / 4);
  expect(config.resultMemoryBytesMax).toBe(Math.floor(config.memoryBytesMax / 16));
  expect(config.engine.wasm).toMatch(/\/vendor\/trace-processor\/trace_processor\.wasm$/);
  expect(config.threadEntry.pathname).toMatch(/\/dist\/worker-thread\.cjs$/);
  expect(config.fileThreadEntry.pathname).toMatch(/\/dist\/file-thread\.js$/);
});

test('the bundle of engine threads is strict, as the modules that it is made of', () => {
  expect(readFileSync(parsed([]).threadEntry, 'utf8')).toMatch(/^'use strict';/);
});

/** Flag, value, the configuration property that it sets, and the property's expected value. */
const FLAGS: [string, string, (config: WorkerConfig) => unknown, unknown][] = [
  ['--listen', 'localhost', ({ listen }) => listen, 'localhost:5052'],
  ['--listen', '::1', ({ listen }) => listen, '[::1]:5052'],
  ['--port', '0', ({ listen }) => listen, '127.0.0.1:0'],
  ['--engine-runtime', 'native', ({ runtime }) => runtime.runtime, 'native'],
  ['--engine-addons', '/a', ({ runtime }) => runtime.addons, '/a'],
  ['--threads', '3', ({ threads }) => threads, 3],
  ['--traces', '/x', ({ stores }) => stores.localRoot, '/x'],
  ['--memory-bytes', '4GiB', ({ memoryBytesMax }) => memoryBytesMax, 4 * GIB],
  ['--result-memory-bytes', '0', ({ resultMemoryBytesMax }) => resultMemoryBytesMax, 0],
  ['--cache-dir', '/c', ({ cacheDir }) => cacheDir, '/c'],
  ['--read-cache-dir', '/a,/b', ({ readCacheDirs }) => readCacheDirs, ['/a', '/b']],
  ['--cache-bytes', '1GiB', ({ cacheBytesMax }) => cacheBytesMax, GIB],
  ['--uncompressed-cache-bytes', '1GiB', ({ uncompressedBytesMax }) => uncompressedBytesMax, GIB],
  ['--result-cache-dir', '/r', ({ resultCacheDir }) => resultCacheDir, '/r'],
  ['--read-result-cache-dir', '/a,/b', ({ readResultCacheDirs: dirs }) => dirs, ['/a', '/b']],
  ['--result-cache-bytes', '2GiB', ({ resultCacheBytesMax }) => resultCacheBytesMax, 2 * GIB],
  ['--trace-timeout', '90s', ({ limits }) => limits.traceTimeoutMs, 90_000],
  ['--trace-bytes-max', '1MiB', ({ limits }) => limits.traceBytesMax, 2 ** 20],
  ['--instance-memory-bytes', '9GiB', ({ limits }) => limits.memoryBytesMax, 4 * GIB],
  ['--result-rows-max', '7', ({ limits }) => limits.resultRowsMax, 7],
  ['--result-bytes-max', '1KiB', ({ limits }) => limits.resultBytesMax, 1024],
  ['--sql-package', 'a=/x,b=/y', ({ sqlPackages }) => sqlPackages, ['a=/x', 'b=/y']],
  ['--trace-processor-wasm', '/w', ({ engine }) => engine.wasm, '/w'],
  ['--kubernetes-pod', 'a/b-1', ({ kubernetesPod }) => kubernetesPod, 'a/b-1'],
  ['--drain-timeout', '5s', ({ drainMs }) => drainMs, 5000],
  ['--log-level', 'debug', ({ logLevel }) => logLevel, 'debug'],
];

test.each(FLAGS)(
  '%s %s sets its option, and so does its environment variable',
  (flag, value, pick, expected) => {
    expect(pick(parsed([flag, value]))).toEqual(expected);
    const variable = `BIGTRACE_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`;
    expect(pick(parsed([], { [variable]: value }))).toEqual(expected);
  },
);

test('shared snapshots have a place, a size, and a flag that allows to write', () => {
  const place = ['--shared-snapshots', '/s3/b/p'];
  expect(parsed(place).sharedSnapshots).toEqual({
    ...{ place: '/s3/b/p', writes: false, bytesMax: 100 * GIB },
  });
  expect(
    parsed([...place, '--write-shared-snapshots', '--shared-snapshots-bytes', '1GiB'])
      .sharedSnapshots,
  ).toEqual({ place: '/s3/b/p', writes: true, bytesMax: GIB });
  expect(() => checkConfig(parsed(place))).toThrow(
    '--shared-snapshots is /s3/b/p, but there is no --cache-dir; shared snapshots are fetched into it',
  );
});

test('--sql-package may be repeated, and an empty variable sets no package', () => {
  expect(parsed(['--sql-package', 'a=/x', '--sql-package', 'b=/y']).sqlPackages).toEqual([
    'a=/x',
    'b=/y',
  ]);
  expect(parsed([], { BIGTRACE_SQL_PACKAGE: '' }).sqlPackages).toEqual([]);
});

test('-s sets host and port together, as in upstream BigTrace', () => {
  expect(parsed(['-s', '127.0.0.1:6000']).listen).toBe('127.0.0.1:6000');
});

test('the default memory of one engine is its share of --memory-bytes', () => {
  const of = (memory: string, threads: string) =>
    parsed(['--memory-bytes', memory, '--threads', threads]).limits.memoryBytesMax;
  expect(of('6GiB', '4')).toBe(1.5 * GIB);
  expect(of('64GiB', '4')).toBe(4 * GIB);
  expect(of('1GiB', '4')).toBe(GIB / 4);
  expect(() => of('100MiB', '4')).toThrow(
    '104857600 bytes (--memory-bytes) are 26214400 for each of 4 threads (--threads), but an engine needs ' +
      'at least 67108864: raise --memory-bytes, or lower --threads',
  );
});

test('without --threads, memory limits the number of threads', () => {
  const of = (memory: string) => parsed(['--memory-bytes', memory]);
  expect(of('1TiB').threads).toBe(thisMachine().cores);
  expect(of('600MiB')).toMatchObject({ threads: 1, limits: { memoryBytesMax: 600 * 2 ** 20 } });
  expect(of('100MiB')).toMatchObject({ threads: 1, limits: { memoryBytesMax: 100 * 2 ** 20 } });
  expect(() => of('10MiB')).toThrow('raise --memory-bytes, or lower --threads');
});

test('--load-time, --load-rate, --spare-threads and --long-task have defaults and can be set', () => {
  expect(parsed(['--threads', '1']).spareThreads).toBe(2);
  expect(parsed(['--threads', '3'])).toMatchObject({
    ...{ spareThreads: 3, longTaskMs: 2000 },
    loadBound: { minMs: 30_000, bytesPerSecond: 2 ** 20 },
  });
  const flags = [
    '--load-time',
    '5s',
    '--load-rate',
    '2MiB',
    '--spare-threads',
    '0',
    '--long-task',
    '1m',
  ];
  expect(parsed(flags)).toMatchObject({
    ...{ spareThreads: 0, longTaskMs: 60_000 },
    loadBound: { minMs: 5000, bytesPerSecond: 2 ** 21 },
  });
});

test.each([
  [['--threads', '0'], 'it must be a whole number from 1 to 1024'],
  [['--memory-bytes', 'much'], 'it must be a size'],
  [['--trace-timeout', '5'], 'it must be a time'],
  [['--load-rate', '0'], 'it must be greater than 0'],
  [['--port', '70000'], 'it must be a whole number from 0 to 65535'],
  [['--nope'], "unknown option '--nope'"],
])('%j is rejected as a usage error', (flags, message) => {
  expect(() => parsed(flags)).toThrow(CommanderError);
  expect(() => parsed(flags)).toThrow(message);
});
