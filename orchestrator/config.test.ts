import { CommanderError } from 'commander';
import { afterEach, expect, test, vi } from 'vitest';
import { PLAINTEXT_SERVER } from '../lib/common/options/server-security-options.ts';
import { orchestratorCommand } from './command.ts';
import type { OrchestratorConfig } from './config.ts';

/** Returns the configuration that a command line resolves to. */
async function configOf(...args: string[]): Promise<OrchestratorConfig> {
  const configs: OrchestratorConfig[] = [];
  const command = orchestratorCommand(async (config) => void configs.push(config));
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.parseAsync(args, { from: 'user' });
  const [config] = configs;
  if (config === undefined) throw new Error('no configuration');
  return config;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

test('without flags, every option has its documented default', async () => {
  expect(await configOf()).toEqual({
    socket: '127.0.0.1:5051',
    serverSecurity: PLAINTEXT_SERVER,
    workers: ['127.0.0.1:5052'],
    workerCredentials: {},
    resolveIntervalMs: 5000,
    workerTimeoutMs: 5000,
    workerWaitMs: 30_000,
    tracesInFlightMax: 0,
    hedgeAfterMs: 10_000,
    queryTimeoutMs: 3_600_000,
    queryTimeoutMsMax: 86_400_000,
    queriesMax: 256,
    userQueriesMax: 128,
    userResultBytesMax: 2 ** 40,
    userCoreSecondsMax: 1_000_000,
    schemasMax: 64,
    userSchemasMax: 8,
    drainTimeoutMs: 10_000,
    peers: [],
    peerCredentials: {},
    clickhouseUrl: undefined,
    servicePasswordFile: undefined,
    json: false,
    logLevel: 'info',
  });
});

test.each<[string, Partial<OrchestratorConfig>]>([
  [
    '--listen 0.0.0.0 --port 0 --insecure',
    { socket: '0.0.0.0:0', serverSecurity: PLAINTEXT_SERVER },
  ],
  [
    '--listen 0.0.0.0 --tls-cert a --tls-key b --token-file c',
    {
      serverSecurity: {
        ...PLAINTEXT_SERVER,
        tls: { cert: 'a', key: 'b', clientCa: undefined },
        tokenFile: 'c',
      },
    },
  ],
  ['--metrics-port 0', { serverSecurity: { ...PLAINTEXT_SERVER, metricsPort: 0 } }],
  [
    '--worker-tls-ca a --worker-tls-name b --worker-token-file c',
    { workerCredentials: { tlsCa: 'a', tlsName: 'b', tokenFile: 'c' } },
  ],
  ['--listen ::1', { socket: '[::1]:5051' }],
  ['-s 127.0.0.1:7', { socket: '127.0.0.1:7' }],
  ['-l a:1,b:2', { workers: ['a:1', 'b:2'] }],
  ['--workers a:1 --workers dns:///b:2', { workers: ['a:1', 'dns:///b:2'] }],
  ['-w h -p 6000 -n 3', { workers: ['h:6000', 'h:6001', 'h:6002'] }],
  ['-r dns:/// -l a:1,dns:///b:2', { workers: ['dns:///a:1', 'dns:///b:2'] }],
  ['-r ipv4: -l 10.0.0.1:1', { workers: ['10.0.0.1:1'] }],
  ['-t 8', { tracesInFlightMax: 8 }],
  ['--resolve-interval 1s', { resolveIntervalMs: 1000 }],
  ['--worker-timeout 1s', { workerTimeoutMs: 1000 }],
  ['--worker-wait 0s', { workerWaitMs: 0 }],
  ['--hedge-after 0s', { hedgeAfterMs: 0 }],
  ['--query-timeout 5m', { queryTimeoutMs: 300_000 }],
  ['--query-timeout-max 1h', { queryTimeoutMsMax: 3_600_000 }],
  ['--max-queries 3', { queriesMax: 3 }],
  ['--user-queries 3', { userQueriesMax: 3 }],
  ['--user-result-bytes 4GiB', { userResultBytesMax: 2 ** 32 }],
  ['--user-core-seconds 0', { userCoreSecondsMax: 0 }],
  ['--max-schemas 3 --user-schemas 2', { schemasMax: 3, userSchemasMax: 2 }],
  ['--drain-timeout 1s', { drainTimeoutMs: 1000 }],
  ['--json --log-level silent', { json: true, logLevel: 'silent' }],
])('the flags %s set the configuration', async (args, expected) => {
  expect(await configOf(...args.split(' '))).toMatchObject(expected);
});

test('environment variables set the same options, and flags override them', async () => {
  vi.stubEnv('BIGTRACE_WORKERS', 'a:1,b:2');
  vi.stubEnv('BIGTRACE_WORKER_WAIT', '7s');
  expect(await configOf()).toMatchObject({ workers: ['a:1', 'b:2'], workerWaitMs: 7000 });
  expect(await configOf('--worker-wait', '1s')).toMatchObject({ workerWaitMs: 1000 });
});

test.each([
  ['--port 65536', /--port <port>' argument '65536' is invalid. it must be a whole number from 0/],
  ['-l a', /must be host:port/],
  ['-l ,', /names no address/],
  ['-n 0', /whole number from 1 to 10000/],
  ['--nothing', /unknown option '--nothing'/],
])('%s is rejected as a usage error', async (args, message) => {
  const refused = configOf(...args.split(' '));
  await expect(refused).rejects.toThrow(CommanderError);
  await expect(refused).rejects.toThrow(message);
});

test.each([
  ['-r xds: -l a:1', '--name-resolution-scheme xds: must be one of ipv4:, ipv6:, dns:, dns:///'],
  ['-p 65535 -n 2', '--worker-port 65535 plus --worker-count 2 must be <= 65536'],
  ['--query-timeout 25h', '--query-timeout 90000000ms must be <= --query-timeout-max 86400000ms'],
  ['--worker-timeout 0s', '--worker-timeout must be > 0ms'],
])('the flags %s fail: %s', async (args, message) => {
  await expect(configOf(...args.split(' '))).rejects.toMatchObject({
    code: 'invalid_option',
    message,
  });
});
