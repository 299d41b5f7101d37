/** JSON Schemas of the console's routes; see schemas.ts. */
const string = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const boolean = { type: 'boolean' } as const;
const counts = { type: 'object', additionalProperties: count } as const;

function object(properties: Record<string, object>, more: object = {}): object {
  return { type: 'object', properties, ...more };
}

function list(items: object): object {
  return { type: 'array', items };
}

export const idParams = object({ id: string }, { required: ['id'] });

const workerStatus = object(
  {
    ...{ version: string, engine: string, threads: count, tasksRunning: count, tasksQueued: count },
    ...{ uptimeMs: count, draining: boolean, counters: counts, gauges: counts },
  },
  { nullable: true },
);

const progress = object(
  {
    ...{ tracesTotal: count, totalIsFinal: boolean, tracesDone: count, tracesFailed: count },
    ...{ rows: count, resultBytes: count, traceBytes: count, elapsedMs: count },
    running: list(
      object({
        ...{ trace: string, phase: string, phaseMs: count, totalMs: count, worker: string },
      }),
    ),
  },
  { nullable: true },
);

export const stateAnswer = object({
  ...{ version: string, clickhouseUrl: string, supersetUrl: string },
  ...{ tracesWaiting: count, tracesInFlight: count, counters: counts },
  workers: list(object({ address: string, state: string, status: workerStatus })),
  queries: list(
    object({
      ...{ queryId: string, user: string, sql: string, findsColumns: boolean },
      ...{ startedMs: count, progress },
    }),
  ),
});

export const failuresAnswer = object({
  reasons: list(
    object({
      ...{ code: string, message: string, count, queries: count, lastMs: count },
      traces: list(string),
    }),
  ),
});

/** Requiring a JSON object protects against CSRF: a form on another site cannot send one. */
export const cancelBody = object({});
export const cancelAnswer = object({});
