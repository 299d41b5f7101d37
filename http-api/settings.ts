/** Settings that the page offers to its user, and their parser for requests. */

import { parseAddress } from '../lib/common/addresses/address.ts';
import { expressionsOf, WHERE_STORE } from '../lib/common/addresses/where-address.ts';
import { BigtraceError } from '../lib/common/errors.ts';
import type { Filter, WireSetting } from './contract/page.ts';
import { badRequest } from './http-error.ts';

export interface Settings {
  /** Addresses, patterns and `/where/…`; empty for all traces of the catalog. */
  addresses: string[];
  /** ClickHouse expression over bigtrace.traces; empty for none. */
  where: string;
  /** Whether the first failed trace ends the query. */
  strict: boolean;
  /** In seconds; 0: only the limits of the services apply. */
  timeoutS: number;
}

/** The query's statement contains all of them. */
const ADDRESSES_MAX = 100_000;
const TIMEOUT_S_MAX = 86_400;
/** How many traces of the catalog a query without addresses runs on, unless the request says otherwise. */
const TRACE_LIMIT = 1000;

/**
 * The settings by category, the response of POST /bigtrace_execution_config. The page leaves out a disabled one until
 * its user enables it.
 * @param defaultTraces addresses of requests without the setting `traces`; empty for the whole catalog
 */
export function executionConfig(defaultTraces: readonly string[]): object[] {
  return [...selectionSettings(defaultTraces), ...OPTIONS];
}

function selectionSettings(defaultTraces: readonly string[]): object[] {
  return [
    {
      id: 'traces',
      name: 'Traces',
      description:
        'Addresses or patterns, such as /local/** or /gcs/bucket/o/2026-*/*.pftrace, or /where/ and an expression over bigtrace.traces; ' +
        'without any, all traces of the catalog',
      category: 'TRACE_ADDRESS',
      stringArray: { defaultValues: [...defaultTraces] },
    },
    {
      id: 'where',
      name: 'Where',
      description:
        "Only traces for which this holds: a ClickHouse expression over bigtrace.traces, such as duration > 2e9 AND arch = 'x86_64'",
      category: 'TRACE_ADDRESS',
      disabled: true,
      plainString: { defaultValue: '' },
    },
    {
      id: 'trace_uuids',
      name: 'Trace UUIDs',
      description: 'Only traces of the catalog with one of these values in the column uuid',
      category: 'TRACE_ADDRESS',
      disabled: true,
      stringArray: { defaultValues: [] },
    },
    {
      id: 'trace_limit',
      name: 'Trace limit',
      // The page adds "(unlimited)" to a description with these words.
      description:
        'At most this many of the selected traces, which must be in the catalog, in the order of the grid. Ignored if 0',
      category: 'TRACE_ADDRESS',
      number: {
        defaultValue: shownLimit(defaultTraces),
        ...{ min: 0, max: ADDRESSES_MAX },
      },
    },
  ];
}

const OPTIONS = [
  {
    id: 'on_failure',
    name: 'When a trace fails',
    description: 'Whether the query continues with the other traces',
    category: 'BIGTRACE_QUERY_OPTIONS',
    stringEnum: {
      defaultValue: 'lenient',
      options: [
        { value: 'lenient', label: 'report it and continue' },
        { value: 'strict', label: 'end the query' },
      ],
    },
  },
  {
    id: 'session',
    name: 'Session',
    description:
      'Whether what your earlier scripts defined (INCLUDE, CREATE PERFETTO …) runs before this one, and what it defines before later ones; for users with a login',
    category: 'BIGTRACE_QUERY_OPTIONS',
    stringEnum: {
      defaultValue: 'on',
      options: [
        { value: 'on', label: 'on' },
        { value: 'off', label: 'off' },
      ],
    },
  },
  {
    id: 'timeout_s',
    name: 'Time limit',
    description: 'In seconds; 0: the limit of the orchestrator',
    category: 'BIGTRACE_QUERY_OPTIONS',
    number: { defaultValue: 0, min: 0, max: TIMEOUT_S_MAX },
  },
];

/**
 * Parses the settings of a request. Unknown settings are ignored; empty values count as not set.
 * @param defaultTraces addresses of requests without the setting `traces`
 * @throws invalid_option
 */
export function parseSettings(
  wire: readonly WireSetting[],
  defaultTraces: readonly string[] = [],
): Settings {
  const addresses = addressesOf(wire);
  const onFailure = valuesOf(wire, 'on_failure')[0] ?? 'lenient';
  if (!['strict', 'lenient'].includes(onFailure))
    throw badRequest(`setting on_failure must be strict or lenient, not ${onFailure}`);
  if (addresses.length > ADDRESSES_MAX)
    throw badRequest(
      `setting traces has ${addresses.length} addresses, the bound is ${ADDRESSES_MAX}; a pattern counts as one`,
    );
  for (const address of addresses) checkAddress(address);
  return {
    addresses: addresses.length === 0 ? [...defaultTraces] : addresses,
    where: valuesOf(wire, 'where')[0] ?? '',
    strict: onFailure === 'strict',
    timeoutS: wholeNumber(wire, 'timeout_s', 0, TIMEOUT_S_MAX),
  };
}

/** The setting `session`. @throws invalid_option */
export function keepsSession(wire: readonly WireSetting[]): boolean {
  const value = valuesOf(wire, 'session')[0] ?? 'on';
  if (value === 'on' || value === 'off') return value === 'on';
  throw badRequest(`setting session must be on or off, not ${value}`);
}

/** The filter over the catalog that the setting `trace_uuids` stands for. */
export function uuidFilters(wire: readonly WireSetting[]): Filter[] {
  const value = valuesOf(wire, 'trace_uuids');
  return value.length === 0 ? [] : [{ field: 'uuid', op: 'in', value }];
}

/**
 * The setting `trace_limit`; 0 for no limit. Traces that are named need not be in the catalog, so the value that the page
 * shows by default does not limit them.
 * @param from what the query selects its traces from
 * @throws invalid_option
 */
export function traceLimit(
  wire: readonly WireSetting[],
  from: 'whole catalog' | 'catalog' | 'names',
  defaultTraces: readonly string[],
): number {
  const ifUnset = from === 'whole catalog' ? TRACE_LIMIT : 0;
  const limit = wholeNumber(wire, 'trace_limit', ifUnset, ADDRESSES_MAX);
  return from === 'names' && limit === shownLimit(defaultTraces) ? 0 : limit;
}

function shownLimit(defaultTraces: readonly string[]): number {
  return defaultTraces.length === 0 ? TRACE_LIMIT : 0;
}

function valuesOf(wire: readonly WireSetting[], id: string): string[] {
  const values = wire.findLast(({ setting_id }) => setting_id === id)?.values ?? [];
  return values.map((value) => value.trim()).filter((value) => value !== '');
}

/** Joins the pieces of addresses that contain commas: the page splits at each comma. */
function addressesOf(wire: readonly WireSetting[]): string[] {
  const pieces = wire.findLast(({ setting_id }) => setting_id === 'traces')?.values ?? [];
  const addresses: string[] = [];
  for (const piece of pieces) {
    const last = addresses.at(-1);
    if (last === undefined || /^\s*(\/|$)/.test(piece)) addresses.push(piece);
    else addresses[addresses.length - 1] = `${last},${piece}`;
  }
  return addresses.map((address) => address.trim()).filter((address) => address !== '');
}

function wholeNumber(
  wire: readonly WireSetting[],
  id: string,
  ifUnset: number,
  max: number,
): number {
  const text = valuesOf(wire, id)[0] ?? ifUnset;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw badRequest(`setting ${id} must be a whole number from 0 to ${max}, not ${text}`);
}

function checkAddress(address: string): void {
  try {
    const { store, path } = parseAddress(address);
    if (store === WHERE_STORE) expressionsOf(path);
  } catch (thrown) {
    if (thrown instanceof BigtraceError) throw badRequest(`setting traces: ${thrown.message}`);
    throw thrown;
  }
}
