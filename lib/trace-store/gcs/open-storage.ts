/** The client of Google Cloud Storage, with the credentials that there are. */
import type { Storage } from '@google-cloud/storage';
import { BigtraceError } from '../../common/errors.ts';
import { gcsError } from './gcs-error.ts';

export interface GcsOptions {
  /** Asks without credentials. Without this: Application Default Credentials, or none where there are none. */
  anonymous?: boolean;
  /** Instead of Google's, or of `STORAGE_EMULATOR_HOST`. */
  endpoint?: string;
  /** Project that pays for requests to buckets whose owner has the reader pay. */
  userProject?: string;
}

const API = '/storage/v1';
const READ_ONLY = 'https://www.googleapis.com/auth/devstorage.read_only';

/** The libraries are loaded when they are first needed: they take a third of a second. */
export async function openStorage(options: GcsOptions): Promise<Storage> {
  const { Storage } = await import('@google-cloud/storage');
  const { GoogleAuth, PassThroughClient } = await import('google-auth-library');
  const settings = {
    ...(options.endpoint === undefined ? {} : { apiEndpoint: options.endpoint }),
    useAuthWithCustomEndpoint: true,
    retryOptions: { autoRetry: false, maxRetries: 0 }, // with-retry.ts does it, for all stores alike
  };
  const anonymous = new Storage({ ...settings, authClient: new PassThroughClient() });
  const isEmulator = options.endpoint === undefined && !isGoogles(anonymous.baseUrl);
  // The library takes STORAGE_EMULATOR_HOST for the whole URL of the API; other languages' libraries,
  // and the emulators' manuals, for the server.
  if (isEmulator) anonymous.baseUrl = apiUrl(anonymous.baseUrl);
  if (options.anonymous || isEmulator) return anonymous;
  const auth = new GoogleAuth({ scopes: READ_ONLY });
  try {
    await auth.getClient();
  } catch (thrown) {
    // Nothing is configured: public buckets can be read, and of others Google says who is missing.
    if (thrown instanceof Error && /Could not load the default credentials/.test(thrown.message))
      return anonymous;
    throw asCredentialsError(thrown);
  }
  return new Storage({ ...settings, authClient: auth });
}

/** `STORAGE_EMULATOR_HOST`, which the library reads itself, replaces this. */
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
    : new BigtraceError('unauthenticated', `Google's credentials cannot be read: ${error.detail}`, {
        cause: thrown,
      });
}
