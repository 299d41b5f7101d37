/** Sets an annotation of the worker's own pod, as the service account whose token Kubernetes mounts into the pod. */
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { httpAgent } from '../../lib/common/network/connect-timeout.ts';
import { file, SecretFile } from '../../lib/common/network/secret-file.ts';

export interface PodOptions {
  /** `namespace/name` */
  pod: string;
  /** URL of the API server. */
  server: string;
  /** Directory with the token of the service account, `token`, and the certificate of the API server's CA, `ca.crt`. */
  credentials: string;
}

/** How pods reach the API server. */
export const IN_POD = {
  server: 'https://kubernetes.default.svc',
  credentials: '/var/run/secrets/kubernetes.io/serviceaccount',
};

const RESPONSE_MS_MAX = 10_000;
const REASON_CHARACTERS_MAX = 300;

export class PodAnnotation {
  readonly #url: URL;
  readonly #token: SecretFile;
  readonly #ca: Buffer;
  readonly #agent = httpAgent({ isTls: true });

  /** @throws invalid_option if the credentials cannot be read */
  constructor({ pod, server, credentials }: PodOptions) {
    const [namespace = '', name = ''] = pod.split('/').map(encodeURIComponent);
    this.#url = new URL(`/api/v1/namespaces/${namespace}/pods/${name}`, server);
    this.#token = new SecretFile(join(credentials, 'token'));
    this.#ca = file(join(credentials, 'ca.crt'));
  }

  /** @throws Error with the API server's reason */
  async set(name: string, value: string): Promise<void> {
    const body = JSON.stringify({ metadata: { annotations: { [name]: value } } });
    const { status, answer } = await this.#patch(body).catch((cause: Error) => {
      throw new Error(`cannot reach ${this.#url.host}: ${cause.message}`, { cause });
    });
    if (status !== 200)
      throw new Error(
        `${this.#url.host} refused a change of ${this.#url.pathname} with status ${status}: ${reasonIn(answer)}`,
      );
  }

  #patch(body: string): Promise<{ status: number | undefined; answer: string }> {
    return new Promise((resolve, reject) => {
      const call = request(
        this.#url,
        {
          method: 'PATCH',
          agent: this.#agent,
          ca: this.#ca,
          timeout: RESPONSE_MS_MAX,
          headers: {
            authorization: `Bearer ${this.#token.text}`,
            'content-type': 'application/merge-patch+json',
            'content-length': Buffer.byteLength(body),
          },
        },
        (response) =>
          text(response).then((answer) => resolve({ status: response.statusCode, answer }), reject),
      );
      call.on('timeout', () => call.destroy(new Error(`no response within ${RESPONSE_MS_MAX} ms`)));
      call.on('error', reject);
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Returns the message of the API server's Status, or the text if it is none. */
function reasonIn(answer: string): string {
  let reason = answer;
  try {
    const { message } = JSON.parse(answer) as { message?: unknown };
    if (typeof message === 'string') reason = message;
  } catch {
    // Not a Status.
  }
  return reason.slice(0, REASON_CHARACTERS_MAX);
}
