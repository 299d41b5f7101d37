/** The counters and gauges of the HTTP API, for its metrics endpoint. The names are public: do not rename them. */

/** Each counter with its help text. */
export const COUNTERS = {
  requests: 'requests',
  requests_failed: 'responses with a status of 500 or more',
  queries: 'queries started',
} as const;

export type Counts = Record<keyof typeof COUNTERS, number>;

/** Each gauge with its help text. */
export const GAUGES = {
  queries_running: 'queries that this process started and that run',
} as const;
