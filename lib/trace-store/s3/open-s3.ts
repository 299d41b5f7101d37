/** The client of S3, loaded when it is first needed: that takes a third of a second. */
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

/** What is left out is found as AWS's own tools find it: environment, `~/.aws`, instance role. */
export interface S3Options {
  region?: string;
  /** URL of a server that is not Amazon's. */
  endpoint?: string;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  pathStyle?: boolean;
  /** Asks without credentials. */
  anonymous?: boolean;
  /** Reads buckets whose owner has the reader pay for requests. */
  requesterPays?: boolean;
}

export type S3Library = typeof import('@aws-sdk/client-s3');

export interface S3 {
  client: S3Client;
  library: S3Library;
}

export async function openS3(options: S3Options): Promise<S3> {
  // It would write on stderr, among logs, that its later versions need Node 22: this one does not.
  // biome-ignore lint/style/noProcessEnv: the SDK has no other switch for it
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const library = await import('@aws-sdk/client-s3');
  const config: S3ClientConfig = {
    maxAttempts: 1, // with-retry.ts asks again, for all stores alike
    followRegionRedirects: true,
    responseChecksumValidation: 'WHEN_REQUIRED', // servers that are not Amazon's have others, or none
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.pathStyle === undefined ? {} : { forcePathStyle: options.pathStyle }),
    ...(options.anonymous ? UNSIGNED : {}),
  };
  return { client: new library.S3Client(config), library };
}

/** The SDK has no option for it: credentials that are none, and a signer that signs nothing. */
const UNSIGNED: Pick<S3ClientConfig, 'credentials' | 'signer'> = {
  credentials: { accessKeyId: '', secretAccessKey: '' },
  signer: { sign: async (request) => request },
};
