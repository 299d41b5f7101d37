/** Trace addresses: `/local/<path>`, `/gcs/<bucket>/o/<object>` … — which store, and the path in it. */

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
  /** All after `/<store>/`; never empty. */
  path: string;
}

/** Of an address that is too long, in its error. */
const SHOWN_CHARS = 100;

/** @throws invalid_address; whether the store is known is for the worker that has the stores to say. */
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

/** Only addresses of the catalog may be longer. @throws invalid_address with the bound */
function checkLength(text: string): void {
  const max = text.startsWith(`/${WHERE_STORE}/`) ? WHERE_CHARS_MAX : ADDRESS_CHARS_MAX;
  if (text.length > max)
    throw new BigtraceError(
      'invalid_address',
      `trace address is ${text.length} characters long, the bound is ${max}`,
      { trace: `${printable(text.slice(0, SHOWN_CHARS))}…` },
    );
}

/** They cannot list, and in their URLs `?`, `*` and brackets are characters as any other. */
const STORES_WITHOUT_PATTERNS = /^\/https?\//;

/**
 * Whether an address may stand for all the traces that match it as a glob. One that names an existing
 * trace to the letter is that trace all the same, so that a listed address always leads back to itself.
 */
export function isPattern(text: string): boolean {
  return /[*?[{]/.test(text) && !STORES_WITHOUT_PATTERNS.test(text);
}
