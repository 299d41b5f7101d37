/** Certificates in files that may be replaced while the process runs, as Kubernetes does when its Secret changes. */
import { BigtraceError } from '../../errors.ts';
import { file } from '../secret-file.ts';

/** Contents of PEM files. */
export interface TlsFiles {
  /** Certificates that must have signed the peer's. */
  ca: Buffer | undefined;
  cert: Buffer | undefined;
  key: Buffer | undefined;
}

export class RenewedTls {
  readonly #paths: Record<keyof TlsFiles, string | undefined>;
  #current: TlsFiles;

  /** @param paths names of the files @throws invalid_option if a file cannot be read, or is empty */
  constructor(paths: Record<keyof TlsFiles, string | undefined>) {
    this.#paths = paths;
    this.#current = this.#read();
  }

  /**
   * What the files contain now: the same object until they change. While they are being replaced (one is missing, or the
   * key is that of the other certificate), the last contents are returned.
   */
  get current(): TlsFiles {
    try {
      const next = this.#read();
      if (!isSame(this.#current, next)) {
        checkTls(next);
        this.#current = next;
      }
    } catch {
      // They are being replaced.
    }
    return this.#current;
  }

  #read(): TlsFiles {
    const { ca, cert, key } = this.#paths;
    return { ca: contents(ca), cert: contents(cert), key: contents(key) };
  }
}

/** @throws the error of TLS if the files do not belong together */
function checkTls(files: TlsFiles): void {
  // Not imported: the bridge starts with each query, most often without TLS, and loading it takes longer than a short query.
  process.getBuiltinModule('node:tls').createSecureContext({ ...files });
  if (files.ca !== undefined) checkCa(files.ca.toString('latin1'));
}

/** TLS ignores what it cannot read of a CA file, even all of it. @throws if a certificate of the file cannot be read */
function checkCa(text: string): void {
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  const blocks = text.split(/(?=-----BEGIN )/);
  const certificates = blocks.filter((one) => /^-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(one));
  if (certificates.length === 0) throw new Error('no certificate');
  for (const one of certificates) new X509Certificate(one);
}

/** How often a server reads its files. */
const LOOK_MS = 10_000;

/** Calls `onChange` when the files have changed. @returns the function that ends it */
export function watchTls(
  files: RenewedTls,
  onChange: (files: TlsFiles) => void,
  lookMs = LOOK_MS,
): () => void {
  let known = files.current;
  const timer = setInterval(() => {
    const { current } = files;
    if (current === known) return;
    known = current;
    onChange(current);
  }, lookMs).unref();
  return () => clearInterval(timer);
}

function contents(path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  const bytes = file(path);
  if (bytes.length > 0) return bytes;
  throw new BigtraceError('invalid_option', `${path} is empty`);
}

function isSame(one: TlsFiles, other: TlsFiles): boolean {
  return (['ca', 'cert', 'key'] as const).every((name) => {
    const [a, b] = [one[name], other[name]];
    return a === undefined || b === undefined ? a === b : a.equals(b);
  });
}
