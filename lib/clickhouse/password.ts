/** A password that may be replaced while the process runs: it is read again when ClickHouse rejects it. */
import { ClickHouseError } from '@clickhouse/client';

export interface Auth {
  username: string;
  password: string;
}

export class Password {
  readonly #username: string;
  readonly #read: () => string;
  #current: string;

  constructor(username: string, password: string | (() => string)) {
    this.#username = username;
    this.#read = typeof password === 'string' ? () => password : password;
    this.#current = this.#read();
  }

  get auth(): Auth {
    return { username: this.#username, password: this.#current };
  }

  /**
   * Makes a request, and once more if its password was rejected and another one can be read.
   * @param mayRepeat without it, the other password is used from the next request on
   */
  async with<T>(request: (auth: Auth) => Promise<T>, mayRepeat = true): Promise<T> {
    const { auth } = this;
    try {
      return await request(auth);
    } catch (thrown) {
      if (!isRejected(thrown) || !this.#renew(auth.password) || !mayRepeat) throw thrown;
      return await request(this.auth);
    }
  }

  /**
   * Reads the password again, unless another request has done so. An empty one is ignored: /dev/stdin is at its end.
   * @returns whether the password differs from the rejected one
   */
  #renew(rejected: string): boolean {
    try {
      if (this.#current === rejected) this.#current = this.#read() || rejected;
    } catch {
      return false; // the file is being replaced; the next request tries again
    }
    return this.#current !== rejected;
  }
}

function isRejected(thrown: unknown): boolean {
  return thrown instanceof ClickHouseError && thrown.type === 'AUTHENTICATION_FAILED';
}
