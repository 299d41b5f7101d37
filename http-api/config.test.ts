import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { PLAINTEXT_SERVER } from '../lib/common/options/server-security-options.ts';
import { httpApiCommand } from './command.ts';
import type { HttpApiConfig } from './config.ts';

/** Returns the configuration that a command line resolves to. */
async function configOf(args: string[], env: NodeJS.ProcessEnv = {}): Promise<HttpApiConfig> {
  const configs: HttpApiConfig[] = [];
  const command = httpApiCommand(env, async (config) => void configs.push(config));
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.parseAsync(args, { from: 'user' });
  const [config] = configs;
  if (config === undefined) throw new Error('no configuration');
  return config;
}

test('without flags, every option has its documented default', async () => {
  expect(await configOf([])).toEqual({
    socket: '127.0.0.1:5001',
    serverSecurity: PLAINTEXT_SERVER,
    orchestrators: ['127.0.0.1:5051'],
    orchestratorCredentials: {},
    clickhouseUrl: 'http://127.0.0.1:8123',
    servicePasswordFile: undefined,
    corsOrigins: [],
    defaultTraces: [],
    tableLifeMs: 604_800_000,
    ...{ publicUrl: undefined, trustedProxies: [], trustedUserHeader: undefined },
    loginLifeMs: 43_200_000,
    presetsFile: undefined,
    bigtraceUi: undefined,
    perfettoUi: 'https://ui.perfetto.dev',
    supersetUrl: undefined,
    drainTimeoutMs: 10_000,
    json: false,
    logLevel: 'info',
  });
});

test.each<[string, Partial<HttpApiConfig>]>([
  ['--listen 0.0.0.0 --port 0 --insecure', { socket: '0.0.0.0:0' }],
  ['--listen ::1', { socket: '[::1]:5001' }],
  ['-s 127.0.0.1:7', { socket: '127.0.0.1:7' }],
  ['--orchestrator a:1,b:2 --orchestrator c:3', { orchestrators: ['a:1', 'b:2', 'c:3'] }],
  [
    '--orchestrator-tls-ca a --orchestrator-tls-name b --orchestrator-token-file c --token-file d',
    {
      orchestratorCredentials: { tlsCa: 'a', tlsName: 'b', tokenFile: 'c' },
      serverSecurity: { ...PLAINTEXT_SERVER, tokenFile: 'd' },
    },
  ],
  ['--clickhouse https://db', { clickhouseUrl: 'https://db' }],
  ['--cors-origin https://a,http://b:1', { corsOrigins: ['https://a', 'http://b:1'] }],
  ['--presets p --superset-url http://s', { presetsFile: 'p', supersetUrl: 'http://s' }],
  [
    '--trusted-proxies 10.0.0.0/8 --trusted-user-header X-User --login-life 1h',
    { trustedUserHeader: 'x-user', loginLifeMs: 3_600_000 },
  ],
  ['--drain-timeout 1m', { drainTimeoutMs: 60_000 }],
])('the flags %s set the configuration', async (args, expected) => {
  expect(await configOf(args.split(' '))).toMatchObject(expected);
});

test.each([
  ['--orchestrator a', /must be host:port/],
  ['--orchestrator ,', /names no orchestrator/],
  ['--clickhouse db:8123', /must be a URL/],
  ['--cors-origin https://a/path', /is not an origin/],
  ['--superset-url javascript:alert(1)', /must be a URL/],
  ['--public-url /bigtrace', /must be a URL/],
  ['--trusted-proxies 10.0.0.0/33', /must be an address or a network/],
  ['--trusted-user-header X:User', /must be the name of a header/],
])('%s is rejected as a usage error', async (args, message) => {
  const refused = configOf(args.split(' '));
  await expect(refused).rejects.toThrow(CommanderError);
  await expect(refused).rejects.toThrow(message);
});

test('a user header needs the proxies that it is believed from', async () => {
  await expect(configOf(['--trusted-user-header', 'X-User'])).rejects.toMatchObject({
    code: 'invalid_option',
    message: expect.stringContaining('--trusted-user-header needs --trusted-proxies'),
  });
});

test('to listen beyond loopback, the service needs TLS and authentication, or --insecure', async () => {
  await expect(configOf(['--listen', '0.0.0.0'])).rejects.toMatchObject({ code: 'invalid_option' });
});
