/** Parsers of flags and `BIGTRACE_…` variables. Their errors name the bound; commander adds the name of the flag. */

import { InvalidArgumentError } from 'commander';
import { isWebUrl } from '../text/parsed-url.ts';

function integer(text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < min || value > max)
    throw new InvalidArgumentError(`it must be a whole number from ${min} to ${max}.`);
  return value;
}

export function integerFrom(min: number, max: number): (text: string) => number {
  return (text) => integer(text, min, max);
}

/** Parses a port. 0 lets the system choose a free one. */
export const port = integerFrom(0, 65535);

const BYTE_UNITS: Record<string, number> = {
  '': 1,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Parses a size in bytes: `1048576`, `512MiB`, `4GiB`. */
export function byteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)?$/.exec(text);
  const unit = BYTE_UNITS[match?.[2] ?? ''];
  const bytes = Math.round(Number(match?.[1]) * (unit ?? 1));
  if (match === null || !Number.isSafeInteger(bytes))
    throw new InvalidArgumentError('it must be a size, such as 1048576, 512MiB or 4GiB.');
  return bytes;
}

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Parses a duration into milliseconds: `250ms`, `30s`, `10m`, `2h`. */
export function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const ms = Math.round(Number(match?.[1]) * (DURATION_UNITS[match?.[2] ?? ''] ?? Number.NaN));
  if (!Number.isSafeInteger(ms) || ms > 2 ** 31 - 1)
    throw new InvalidArgumentError(
      'it must be a time up to 24 days, such as 250ms, 30s, 10m or 2h.',
    );
  return ms;
}

/** Checks an address: `host:port` or `[::1]:port`. */
export function hostPort(text: string): string {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:[\]\s/]+):(\d+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('it must be host:port.');
  port(match[2] ?? '');
  return text;
}

/** Checks a URL. */
export function httpUrl(text: string): string {
  if (isWebUrl(text)) return text;
  throw new InvalidArgumentError('it must be a URL, such as https://host:8443.');
}
