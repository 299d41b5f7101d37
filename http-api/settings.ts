/** Settings that the page offers to its user, and their parser for requests. */

import { parseAddress } from '../lib/common/addresses/address.ts';
import { expressionsOf, WHERE_STORE } from '../lib/common/addresses/where-address.ts';
import { BigtraceError } from '../lib/common/errors.ts';
import type { WireSetting } from './contract/page.ts';
import { badRequest } from './http-error.ts';

export interface Settings {
  /** Addresses, patterns and `/where/…`. */
  addresses: string[];
  /** ClickHouse expression over bigtrace.traces; empty for none. */
  where: string;
  /** Whether the first failed trace ends the query. */
  strict: boolean;
  /** In seconds; 0: only the limits of the services apply. */
  timeoutS: number;
}

const DEFAULT_ADDRESSES = ['/local/**'];
/** The query's statement contains all of them. */
const ADDRESSES_MAX = 100_000;
const TIMEOUT_S_MAX = 86_400;

/** The settings by category, the response of POST /bigtrace_execution_config. */
export const EXECUTION_CONFIG = [
  {
    id: 'traces',
    name: 'Traces',
    description:
      'Addresses or patterns, such as /local/** or /gcs/bucket/o/2026-*/*.pftrace, or /where/ and an expression over bigtrace.traces',
    category: 'TRACE_ADDRESS',
    stringArray: { defaultValues: DEFAULT_ADDRESSES },
  },
  {
    id: 'where',
    name: 'Where',
    description:
      "Only traces for which this holds: a ClickHouse expression over bigtrace.traces, such as duration > 2e9 AND arch = 'x86_64'",
    category: 'TRACE_METADATA',
    plainString: { defaultValue: '' },
  },
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
    id: 'timeout_s',
    name: 'Time limit',
    description: 'In seconds; 0: the limit of the orchestrator',
    category: 'BIGTRACE_QUERY_OPTIONS',
    number: { defaultValue: 0, min: 0, max: TIMEOUT_S_MAX },
  },
] as const;

/**
 * Parses the settings of a request. Unknown settings are ignored; empty values count as not set.
 * @throws invalid_option
 */
export function parseSettings(wire: readonly WireSetting[]): Settings {
  const byId = new Map(
    wire.map(({ setting_id, values }) => [
      setting_id,
      values.map((value) => value.trim()).filter((value) => value !== ''),
    ]),
  );
  const addresses = byId.get('traces') ?? [];
  const onFailure = byId.get('on_failure')?.[0] ?? 'lenient';
  const timeoutS = Number(byId.get('timeout_s')?.[0] ?? 0);
  if (!['strict', 'lenient'].includes(onFailure))
    throw badRequest(`setting on_failure must be strict or lenient, not ${onFailure}`);
  if (!Number.isInteger(timeoutS) || timeoutS < 0 || timeoutS > TIMEOUT_S_MAX)
    throw badRequest(`setting timeout_s must be a whole number from 0 to ${TIMEOUT_S_MAX}`);
  if (addresses.length > ADDRESSES_MAX)
    throw badRequest(
      `setting traces has ${addresses.length} addresses, the bound is ${ADDRESSES_MAX}; a pattern counts as one`,
    );
  for (const address of addresses) checkAddress(address);
  return {
    addresses: addresses.length === 0 ? DEFAULT_ADDRESSES : addresses,
    where: byId.get('where')?.[0] ?? '',
    strict: onFailure === 'strict',
    timeoutS,
  };
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
