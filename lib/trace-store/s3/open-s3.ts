/** Opens the S3 client. The AWS SDK is loaded on first use, because loading takes a third of a second. */
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { CONNECT_MS_MAX } from '../../common/network/connect-timeout.ts';

/** Options that are left out come from AWS's usual sources: environment, `~/.aws`, instance role. */
export interface S3Options {
  region?: string;
  /** URL of an S3-compatible server. Default: Amazon's. */
  endpoint?: string;
  /** Requests `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  pathStyle?: boolean;
  /** Sends no credentials. */
  anonymous?: boolean;
  /** Accepts the charges for requests to requester-pays buckets. */
  requesterPays?: boolean;
}

export type S3Library = typeof import('@aws-sdk/client-s3');

export interface S3 {
  client: S3Client;
  library: S3Library;
}

export async function openS3(options: S3Options): Promise<S3> {
  // Without it, the SDK writes to stderr, among the logs, that its later versions need Node 22; this version does not.
  // biome-ignore lint/style/noProcessEnv: the SDK has no other switch for it
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const library = await import('@aws-sdk/client-s3');
  const config: S3ClientConfig = {
    maxAttempts: 1, // with-retry.ts retries for all stores
    requestHandler: { connectionTimeout: CONNECT_MS_MAX },
    followRegionRedirects: true,
    responseChecksumValidation: 'WHEN_REQUIRED', // other servers send other checksums, or none
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.pathStyle === undefined ? {} : { forcePathStyle: options.pathStyle }),
    ...(options.anonymous ? UNSIGNED : {}),
  };
  return { client: new library.S3Client(config), library };
}

/** Makes requests anonymous, for which the SDK has no option: empty credentials, and a signer that does not sign. */
const UNSIGNED: Pick<S3ClientConfig, 'credentials' | 'signer'> = {
  credentials: { accessKeyId: '', secretAccessKey: '' },
  signer: { sign: async (request) => request },
};
