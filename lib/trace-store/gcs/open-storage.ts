/** Opens the client of Google Cloud Storage with the configured or the default credentials. */
import type { Storage } from '@google-cloud/storage';
import { BigtraceError } from '../../common/errors.ts';
import { gcsError } from './gcs-error.ts';

export interface GcsOptions {
  /** Sends no credentials. Default: Application Default Credentials if they are configured, else none. */
  anonymous?: boolean;
  /** URL of the server. Default: `STORAGE_EMULATOR_HOST` if set, else Google's. */
  endpoint?: string;
  /** Project billed for requests to requester-pays buckets. */
  userProject?: string;
}

const API = '/storage/v1';
const SCOPES = 'https://www.googleapis.com/auth/devstorage';

/**
 * Loads the client libraries, which takes a third of a second, and opens the client.
 * @throws unauthenticated if credentials are configured but unusable
 */
export async function openStorage(
  options: GcsOptions,
  { writes } = { writes: false },
): Promise<Storage> {
  const { Storage } = await import('@google-cloud/storage');
  const { GoogleAuth, PassThroughClient } = await import('google-auth-library');
  const settings = {
    ...(options.endpoint === undefined ? {} : { apiEndpoint: options.endpoint }),
    useAuthWithCustomEndpoint: true,
    retryOptions: { autoRetry: false, maxRetries: 0 }, // with-retry.ts retries for all stores
  };
  const anonymous = new Storage({ ...settings, authClient: new PassThroughClient() });
  const isEmulator = options.endpoint === undefined && !isGoogles(anonymous.baseUrl);
  // The library takes STORAGE_EMULATOR_HOST for the URL of the API; the libraries of other languages and the
  // emulators' manuals take it for the URL of the server. Both are accepted.
  if (isEmulator) anonymous.baseUrl = apiUrl(anonymous.baseUrl);
  if (options.anonymous || isEmulator) return anonymous;
  const auth = new GoogleAuth({ scopes: `${SCOPES}.${writes ? 'read_write' : 'read_only'}` });
  try {
    await auth.getClient();
  } catch (thrown) {
    // No credentials are configured: public buckets can be read, and for others Google's refusal says what is missing.
    if (thrown instanceof Error && /Could not load the default credentials/.test(thrown.message))
      return anonymous;
    throw asCredentialsError(thrown);
  }
  return new Storage({ ...settings, authClient: auth });
}

/** Whether the URL is Google's; `STORAGE_EMULATOR_HOST`, which the library itself reads, replaces it. */
function isGoogles(baseUrl: string): boolean {
  return /^https:\/\/storage\.[^/]+$/.test(baseUrl.slice(0, -API.length));
}

function apiUrl(emulator: string): string {
  const url = /^https?:/.test(emulator) ? emulator : `http://${emulator}`;
  return url.endsWith(API) ? url : url.replace(/\/*$/, API);
}

function asCredentialsError(thrown: unknown): BigtraceError {
  const error = gcsError(thrown);
  return error.code === 'unauthenticated'
    ? error
    : new BigtraceError('unauthenticated', `cannot read the Google credentials: ${error.detail}`, {
        cause: thrown,
      });
}
