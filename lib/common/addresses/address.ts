/** Parses trace addresses, such as `/local/<path>` and `/gcs/<bucket>/o/<object>`, into store and path. */

import { BigtraceError } from '../errors.ts';
import { printable } from '../text/byte-text.ts';
import { ADDRESS_CHARS_MAX, WHERE_CHARS_MAX } from '../text/text-bounds.ts';
import { WHERE_STORE } from './where-address.ts';

export { WHERE_STORE } from './where-address.ts';

export interface TraceAddress {
  /** The whole address, as the client wrote it. */
  text: string;
  /** The store's name: the first segment. */
  store: string;
  /** The text after `/<store>/`; never empty. */
  path: string;
}

/** How much of an address that is too long its error shows. */
const SHOWN_CHARS = 100;

/** Does not check that the store exists: the worker does. @throws invalid_address */
export function parseAddress(text: string): TraceAddress {
  const refuse = (why: string): BigtraceError =>
    new BigtraceError(
      'invalid_address',
      `${why}; an address is /<store>/<path>, such as /local/app.pftrace or /gcs/bucket/o/app.pftrace`,
      text === '' ? {} : { trace: printable(text) },
    );
  if (text === '') throw refuse('trace address is empty');
  if (text.length > ADDRESS_CHARS_MAX) checkLength(text);
  if (!text.startsWith('/')) throw refuse('trace address must start with /');
  const end = text.indexOf('/', 1);
  const store = end < 0 ? text.slice(1) : text.slice(1, end);
  const path = end < 0 ? '' : text.slice(end + 1);
  if (store === '') throw refuse('trace address names no store');
  if (path === '') throw refuse(`trace address has nothing after /${printable(store)}/`);
  return { text, store, path };
}

/** Only `/where/` addresses may be longer than ADDRESS_CHARS_MAX. @throws invalid_address, which names the bound */
function checkLength(text: string): void {
  const max = text.startsWith(`/${WHERE_STORE}/`) ? WHERE_CHARS_MAX : ADDRESS_CHARS_MAX;
  if (text.length > max)
    throw new BigtraceError(
      'invalid_address',
      `trace address is ${text.length} characters long, the bound is ${max}`,
      { trace: `${printable(text.slice(0, SHOWN_CHARS))}…` },
    );
}

/** These stores cannot list, and in URLs `?`, `*` and brackets are ordinary characters. */
const STORES_WITHOUT_PATTERNS = /^\/https?\//;

/**
 * Whether an address may be a pattern. If a trace with exactly this address exists, the address still means that trace,
 * so that every listed address can be queried.
 */
export function isPattern(text: string): boolean {
  return /[*?[{]/.test(text) && !STORES_WITHOUT_PATTERNS.test(text);
}
