/** Messages of the HTTP API that only the console uses, as schemas and types; see page.ts. */
import { type Static, Type } from 'typebox';
import { count, counts, flag, maybe, nullable, oneOf, text, texts } from './parts.ts';

export const ById = Type.Object({ id: text });

/** Times in milliseconds. */
export const ConsoleTrace = Type.Object({
  trace: text,
  phase: oneOf(['QUEUED', 'READING', 'PARSING', 'RUNNING_SQL']),
  ...{ phaseMs: count, totalMs: count, worker: text },
});
export type ConsoleTrace = Static<typeof ConsoleTrace>;

export const ConsoleWorker = Type.Object({
  address: text, // host:port
  state: text, // connecting, ready, draining or lost
  // The worker's last status report; null before the first.
  status: nullable(
    Type.Object({
      ...{ version: text, engine: text, threads: count, tasksRunning: count, tasksQueued: count },
      ...{ uptimeMs: count, draining: flag, counters: counts, gauges: counts },
    }),
  ),
});
export type ConsoleWorker = Static<typeof ConsoleWorker>;

export const ConsoleQuery = Type.Object({
  ...{ queryId: text, user: text },
  sql: text, // possibly truncated; the orchestrator sends at most 4000 bytes
  findsColumns: flag, // whether this is the column finding of a query
  startedMs: count, // since the epoch
  progress: nullable(
    Type.Object({
      tracesTotal: count,
      totalIsFinal: flag, // whether all patterns have been expanded
      ...{ tracesDone: count, tracesFailed: count },
      ...{ rows: count, resultBytes: count, traceBytes: count, elapsedMs: count },
      // Time of engine threads for the traces that are done, and the sources of their results.
      ...{ coreMs: count, tracesRemembered: count, tracesLoaded: count },
      ...{ tracesRestored: count, tracesParsed: count },
      running: maybe(Type.Array(ConsoleTrace)), // those assigned to workers for longest
    }),
  ),
});
export type ConsoleQuery = Static<typeof ConsoleQuery>;

const system = {
  tracesWaiting: count, // traces of all queries that wait for a worker
  ...{ tracesInFlight: count, counters: counts },
  workers: Type.Array(ConsoleWorker),
  queries: Type.Array(ConsoleQuery), // that run
};
export const SystemState = Type.Object(system);
export type SystemState = Static<typeof SystemState>;

/** The URLs are as users reach them; `bigtraceUi`, the BigTrace page of this service, is relative to its URL. */
export const ConsoleState = Type.Object({
  ...{ version: text, clickhouseUrl: text, supersetUrl: maybe(text), ...system },
  ...{ bigtraceUi: maybe(text) },
});
export type ConsoleState = Static<typeof ConsoleState>;

export const FailureReason = Type.Object({
  code: text,
  message: text, // the latest
  ...{ count, queries: count, lastMs: count },
  traces: texts, // the first distinct ones in the order given; the newest query comes first
});
export type FailureReason = Static<typeof FailureReason>;
export const FailuresAnswer = Type.Object({ reasons: Type.Array(FailureReason) });

/** The URL of the Perfetto UI that traces are opened in; that of a served one is relative to the service's. */
export const Opener = Type.Object({ perfettoUi: text });
export type Opener = Static<typeof Opener>;

/** The names that scripts can use; each with the comment that documents it. */
const VocabularyColumn = Type.Object({ name: text, type: text, about: text });
export type VocabularyColumn = Static<typeof VocabularyColumn>;
const columns = Type.Array(VocabularyColumn);
export const VocabularyTable = Type.Object({ name: text, isView: flag, about: text, columns });
export type VocabularyTable = Static<typeof VocabularyTable>;
export const VocabularyFunction = Type.Object({
  ...{ name: text, kind: oneOf(['scalar', 'table', 'macro']), about: text },
  ...{ args: columns, returns: text, columns },
});
export type VocabularyFunction = Static<typeof VocabularyFunction>;
export const VocabularyModule = Type.Object({
  name: text, // as in INCLUDE PERFETTO MODULE; empty: part of the engine itself
  ...{ tables: Type.Array(VocabularyTable), functions: Type.Array(VocabularyFunction) },
});
export type VocabularyModule = Static<typeof VocabularyModule>;
export const VocabularyQuery = Type.Object({ engine: maybe(text) });
export const Vocabulary = Type.Object({
  ...{ engine: text, engineName: text, modules: Type.Array(VocabularyModule) },
});
export type Vocabulary = Static<typeof Vocabulary>;

/** Requiring a JSON object protects against CSRF: a form on another site cannot send one. */
export const CancelBody = Type.Object({});
