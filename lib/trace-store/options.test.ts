import { Command } from 'commander';
import { expect, onTestFinished, test, vi } from 'vitest';
import { addStoreOptions, storeOptionsOf } from './options.ts';

const parse = (...flags: string[]) => {
  const command = addStoreOptions(new Command().exitOverride().configureOutput({ writeErr() {} }));
  return storeOptionsOf(command.parse(flags, { from: 'user' }));
};

test('without flags, the object stores and the default limits are configured', () => {
  expect(parse()).toEqual({
    gcs: {},
    s3: {},
    requests: { timeoutMs: 30_000, attemptsMax: 5, concurrencyMax: 16 },
  });
});

test('every flag sets its option', () => {
  const flags =
    '--traces /data --gcs-anonymous --gcs-endpoint http://gcs --gcs-user-project p --s3-region eu-1 --s3-endpoint http://s3 ' +
    '--s3-path-style --s3-anonymous --s3-requester-pays --http-hosts a.org,*.b.org:8080 --http-private ' +
    '--store-timeout 5s --store-attempts 2 --store-concurrency 3';
  expect(parse(...flags.split(' '))).toEqual({
    localRoot: '/data',
    gcs: { anonymous: true, endpoint: 'http://gcs', userProject: 'p' },
    s3: {
      ...{ region: 'eu-1', endpoint: 'http://s3', pathStyle: true, anonymous: true },
      requesterPays: true,
    },
    http: { hosts: ['a.org', '*.b.org:8080'], allowPrivate: true },
    requests: { timeoutMs: 5000, attemptsMax: 2, concurrencyMax: 3 },
  });
});

test('--stores leaves out the stores that it does not name', () => {
  const options = parse('--stores', 'local', '--traces', '/data', '--http-hosts', 'a.org');
  expect(Object.keys(options)).toEqual(['localRoot', 'requests']);
});

test('environment variables set the same options as the flags', () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('BIGTRACE_TRACES', '/data');
  vi.stubEnv('BIGTRACE_STORES', 'local,s3');
  vi.stubEnv('BIGTRACE_S3_REGION', 'eu-1');
  const { requests: _, ...stores } = parse();
  expect(stores).toEqual({ localRoot: '/data', s3: { region: 'eu-1' } });
});

test.each([
  [['--stores', 'local,ftp'], 'there is no store ftp; the stores are local, gcs, s3, http.'],
  [['--gcs-endpoint', 'host'], 'it must be an http(s) URL.'],
  [['--store-timeout', '5'], 'it must be a time up to 24 days, such as 250ms, 30s, 10m or 2h.'],
  [['--store-attempts', '0'], 'it must be a whole number from 1 to 100.'],
])('%j is refused', (flags, message) => {
  expect(() => parse(...flags)).toThrow(message);
});
