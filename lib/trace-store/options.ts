/** The options of the stores, and the command-line flags that set them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { durationMs, integerFrom } from '../common/options/options.ts';
import type { GcsOptions } from './gcs/open-storage.ts';
import type { HostRules } from './http/allowed-hosts.ts';
import type { S3Options } from './s3/open-s3.ts';

/** The stores to create. An address of a store that is left out fails with invalid_address. */
export interface StoreOptions {
  /** The root directory of `/local` addresses. */
  localRoot?: string;
  gcs?: GcsOptions;
  s3?: S3Options;
  /** For `/http/…` and `/https/…`. */
  http?: HostRules;
  /** For all stores but `/local`. */
  requests?: RequestOptions;
}

export interface RequestOptions {
  /** The time in ms that one attempt may wait for the store; see with-timeout.ts. */
  timeoutMs: number;
  /** The number of consecutive failures after which a request fails. */
  attemptsMax: number;
  /** The maximum number of concurrent requests to one store. */
  concurrencyMax: number;
}

export const REQUEST_DEFAULTS: RequestOptions = {
  timeoutMs: 30_000,
  attemptsMax: 5,
  concurrencyMax: 16,
};

interface Flags {
  traces?: string;
  stores: string[];
  gcsAnonymous?: boolean;
  gcsEndpoint?: string;
  gcsUserProject?: string;
  s3Region?: string;
  s3Endpoint?: string;
  s3PathStyle?: boolean;
  s3Anonymous?: boolean;
  s3RequesterPays?: boolean;
  httpHosts?: string[];
  httpPrivate?: boolean;
  storeTimeout: number;
  storeAttempts: number;
  storeConcurrency: number;
}

const NAMES = ['local', 'gcs', 's3', 'http'];

function names(text: string): string[] {
  const names = list(text);
  const unknown = names.find((name) => !NAMES.includes(name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(
      `there is no store ${unknown}; the stores are ${NAMES.join(', ')}.`,
    );
  return names;
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function httpUrl(text: string): string {
  if (!/^https?:\/\/[^/]/.test(text)) throw new InvalidArgumentError('it must be an http(s) URL.');
  return text;
}

/** Adds the flags; `storeOptionsOf` reads them. */
export function addStoreOptions(command: Command): Command {
  const options: Option[] = [];
  const add = (flags: string, text: string): Option => {
    const option = new Option(flags, text);
    options.push(option.env(`BIGTRACE_${option.name().toUpperCase().replaceAll('-', '_')}`));
    return option;
  };
  add('--traces <dir>', 'root directory of /local addresses');
  add('--stores <names>', 'comma-separated stores that this worker may read')
    .argParser(names)
    .default(NAMES, NAMES.join(','));
  add('--gcs-anonymous', 'read /gcs without credentials');
  add('--gcs-endpoint <url>', 'URL of the GCS server, instead of Google Cloud Storage').argParser(
    httpUrl,
  );
  add('--gcs-user-project <project>', 'project billed for requests to requester-pays buckets');
  add('--s3-region <name>', 'AWS region, instead of the one in the AWS configuration');
  add('--s3-endpoint <url>', 'URL of an S3-compatible server, instead of AWS').argParser(httpUrl);
  add('--s3-path-style', 'put the bucket into the URL path instead of the host name');
  add('--s3-anonymous', 'read /s3 without credentials');
  add('--s3-requester-pays', 'accept the charges for requests to requester-pays buckets');
  add(
    '--http-hosts <hosts>',
    'comma-separated hosts that /http and /https may contact, such as a.org,*.b.org,c.org:8080',
  ).argParser(list);
  add('--http-private', 'allow --http-hosts to resolve to private addresses');
  add('--store-timeout <time>', 'read timeout of a store')
    .argParser(durationMs)
    .default(REQUEST_DEFAULTS.timeoutMs, '30s');
  add('--store-attempts <n>', 'attempts per store request, before a read fails with store_failed')
    .argParser(integerFrom(1, 100))
    .default(REQUEST_DEFAULTS.attemptsMax);
  add('--store-concurrency <n>', 'maximum number of concurrent requests to one store')
    .argParser(integerFrom(1, 10_000))
    .default(REQUEST_DEFAULTS.concurrencyMax);
  for (const option of options) command.addOption(option); // only after .default(): addOption copies the default
  return command;
}

/** Returns the options of the stores that `--stores` names. `local` also needs `--traces`, `http` `--http-hosts`. */
export function storeOptionsOf(command: Command): StoreOptions {
  const flags = command.opts<Flags>();
  const has = (name: string): boolean => flags.stores.includes(name);
  const { httpHosts: hosts, traces } = flags;
  return {
    ...(has('local') && traces !== undefined ? { localRoot: traces } : {}),
    ...(has('gcs')
      ? {
          gcs: definedOptions({
            anonymous: flags.gcsAnonymous,
            endpoint: flags.gcsEndpoint,
            userProject: flags.gcsUserProject,
          }),
        }
      : {}),
    ...(has('s3')
      ? {
          s3: definedOptions({
            region: flags.s3Region,
            endpoint: flags.s3Endpoint,
            pathStyle: flags.s3PathStyle,
            anonymous: flags.s3Anonymous,
            requesterPays: flags.s3RequesterPays,
          }),
        }
      : {}),
    ...(has('http') && hosts !== undefined
      ? { http: { hosts, allowPrivate: flags.httpPrivate ?? false } }
      : {}),
    requests: {
      timeoutMs: flags.storeTimeout,
      attemptsMax: flags.storeAttempts,
      concurrencyMax: flags.storeConcurrency,
    },
  };
}

/** Removes keys whose value is undefined, as `exactOptionalPropertyTypes` requires. */
function definedOptions<T extends object>(options: T): { [Key in keyof T]?: NonNullable<T[Key]> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]?: NonNullable<T[Key]> };
}
