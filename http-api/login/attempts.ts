/**
 * Bounds the logins with a wrong token: of one address and name, and of one address whatever the name, because the client
 * chooses it. Each replica counts for itself.
 */
import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';

const WINDOW_MS = 60_000;
export const OF_NAME_MAX = 5;
export const OF_ADDRESS_MAX = 30;
/** Addresses, and addresses with names, that are remembered. */
const REMEMBERED_MAX = 10_000;

interface Window {
  failures: number;
  endsMs: number;
}

export class LoginAttempts {
  readonly #now: () => number;
  readonly #ofName = new LRUCache<string, Window>({ max: REMEMBERED_MAX });
  readonly #ofAddress = new LRUCache<string, Window>({ max: REMEMBERED_MAX });

  /** @param now in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Returns after how many seconds the address may try to log in under this name; 0: now. */
  waitS(address: string, name: string): number {
    const network = networkOf(address);
    const ms = Math.max(
      this.#waitMs(this.#ofAddress.get(network), OF_ADDRESS_MAX),
      this.#waitMs(this.#ofName.get(keyOf(network, name)), OF_NAME_MAX),
    );
    return Math.ceil(ms / 1000);
  }

  failed(address: string, name: string): void {
    const network = networkOf(address);
    this.#count(this.#ofAddress, network);
    this.#count(this.#ofName, keyOf(network, name));
  }

  #waitMs(window: Window | undefined, max: number): number {
    return window === undefined || window.failures < max ? 0 : window.endsMs - this.#now();
  }

  #count(windows: LRUCache<string, Window>, key: string): void {
    const nowMs = this.#now();
    const window = windows.get(key);
    if (window === undefined || window.endsMs <= nowMs)
      windows.set(key, { failures: 1, endsMs: nowMs + WINDOW_MS });
    else window.failures += 1;
  }
}

function keyOf(network: string, name: string): string {
  return JSON.stringify([network, name]);
}

/** One client may have all addresses of an IPv6 network with 64 bits. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [before = '', after] = address.split('::');
  const first = before === '' ? [] : before.split(':');
  const last = after === undefined || after === '' ? [] : after.split(':');
  const zeros = Array<string>(Math.max(8 - first.length - last.length, 0)).fill('0');
  return [...first, ...zeros, ...last].slice(0, 4).join(':');
}
