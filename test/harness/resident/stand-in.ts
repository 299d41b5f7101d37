/**
 * Stands in for the orchestrator behind a resident bridge, as clickhouse/testing/stand-in.sh does for the executed bridge:
 * a query's sql is `@STRUCTURE;;COMMANDS`. Commands that end without `end` and without an error are a bridge that died.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type QueryStream, type Stub, startStub } from '../../../bridge/testing.ts';
import { BigtraceError, isErrorCode } from '../../../lib/common/errors.ts';
import { toServiceError } from '../../../lib/common/grpc-errors.ts';
import type { QueryRequest, SchemaRequest } from '../../../lib/proto/messages.ts';
import { CellType, type CellValue } from '../../../lib/query-result/index.ts';
import { encodeTable } from '../../../lib/query-result/testing.ts';

export interface StandIn {
  /** host:port */
  address: string;
  /** Whether the client of this query's column finding has left; undefined: there was none. */
  hasLeft(queryId: string): boolean | undefined;
  stop(): void;
}

/** @param onDeath called when a bridge is to die */
export async function startStandIn(onDeath: () => void): Promise<StandIn> {
  const findings = new Map<string, AbortSignal>();
  const scripts = new Set<ChildProcess>();
  const stub: Stub = {
    query: (call) => {
      const script = new Script(call, onDeath);
      void script.started.then((child) => {
        scripts.add(child);
        child.on('close', () => scripts.delete(child));
      });
    },
    schema: (request, cancelled) => {
      if (!request.again) findings.set(request.queryId, cancelled);
      return columnsOf(request, cancelled);
    },
    failures: (call) => {
      call.write({ failure: [FAILURE] });
      call.end();
    },
    status: () => ({ query: [RUNNING] }),
  };
  const { address, server } = await startStub(stub);
  const stop = (): void => {
    for (const child of scripts) child.kill('SIGKILL');
    server.forceShutdown();
  };
  return { address, hasLeft: (id) => findings.get(id)?.aborted, stop };
}

const FAILURE = {
  ...{ queryId: 'q1', user: 'analyst', trace: Buffer.from('/local/bad'), code: 'trace_invalid' },
  ...{ message: 'not a trace', attempts: 2, timeMs: 1_795_345_249_722 },
};

const RUNNING = {
  ...{ queryId: 'q1', user: 'analyst', startedMs: 1_795_345_249_722 },
  progress: {
    ...{ elapsedMs: 2000, tracesTotal: 10, totalIsFinal: true, tracesDone: 3, tracesFailed: 1 },
    ...{ rows: 500, resultBytes: 600, traceBytes: 700, coreMs: 2500 },
    ...{ tracesRemembered: 1, tracesLoaded: 0, tracesRestored: 0, tracesParsed: 2 },
    running: [
      {
        ...{ trace: Buffer.from("/local/it's"), phase: 'PARSING' as const, phaseMs: 1500 },
        ...{ totalMs: 2000, worker: 'w:1', queryId: 'q1', user: 'analyst' },
      },
    ],
  },
};

const KINDS: Record<string, number> = {
  Int64: CellType.VARINT,
  Float64: CellType.FLOAT64,
  String: CellType.STRING,
};

async function columnsOf({ sql }: SchemaRequest, cancelled: AbortSignal) {
  const structure = String(sql).slice(1).split(';;')[0] ?? '';
  const rest = structure.slice(1);
  if (structure.startsWith('!')) throw new BigtraceError('sql_failed', rest);
  if (structure.startsWith('~')) while (!existsSync(rest) && !cancelled.aborted) await sleep(20);
  const columns = /^[!~]/.test(structure) ? [] : structure.split(', ');
  return {
    column: columns.map((column) => {
      const [, name = '', type = ''] = /^(\w+) (?:Nullable\()?(\w+)/.exec(column) ?? [];
      return { name: Buffer.from(name), cellKinds: 1 << (KINDS[type] ?? 0) };
    }),
    tracesSampled: 1,
  };
}

/** The functions of stand-in.sh. Each writes a line. */
const FUNCTIONS = `
row() { printf row; printf '\\t%s' "$@"; echo; }
beat() { echo beat; }
end() { echo end; }
`;

/** The commands of one query. They end with a closed pipe when the query is cancelled. */
class Script {
  readonly started: Promise<ChildProcess>;
  readonly #call: QueryStream;
  readonly #onDeath: () => void;
  #hasEnded = false;

  constructor(call: QueryStream, onDeath: () => void) {
    this.#call = call;
    this.#onDeath = onDeath;
    this.started = this.#start();
  }

  async #start(): Promise<ChildProcess> {
    const requests: QueryRequest[] = [];
    this.#call.on('data', (request: QueryRequest) => requests.push(request));
    await once(this.#call, 'end');
    const sql = String(requests[0]?.start?.sql);
    const env = {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      failure: String(requests[0]?.start?.onFailure).toLowerCase(),
    };
    const commands = FUNCTIONS + sql.slice(sql.indexOf(';;') + 2);
    const child = spawn('bash', ['--norc', '-c', commands], {
      stdio: [null, null, null, 'pipe'],
      env,
    });
    child.stdin.end();
    const traces = child.stdio[3] as NodeJS.WritableStream;
    traces.on('error', () => {}); // nobody reads it
    for (const { traces: more } of requests)
      for (const address of more?.address ?? []) traces.write(`${address}\n`);
    traces.end();
    this.#call.on('cancelled', () => child.stdout.destroy());
    createInterface(child.stdout).on('line', (line) => this.#line(line));
    const error = textOf(child.stderr);
    child.on('close', () => void error.then((text) => this.#close(text.trim())));
    return child;
  }

  #line(line: string): void {
    const [command, address = '', ...cells] = line.split('\t');
    if (command === 'end') this.#hasEnded = true;
    if (command !== 'row' || this.#call.cancelled) return;
    const all = cells.map((cell) => /^([^=]*)(?:=(.*))?$/.exec(cell)?.slice(1) ?? []);
    const names = all.map(([name = '']) => name);
    const table = { names, cells: all.map(([, value]) => cellOf(value)), resultBatches: 1 };
    const [result = Buffer.of()] = encodeTable({ ...table, batchCells: Math.max(1, all.length) });
    this.#call.write({ event: [{ rows: { trace: Buffer.from(address), result, last: true } }] });
  }

  #close(error: string): void {
    if (this.#call.cancelled) return;
    if (error !== '') this.#call.emit('error', toServiceError(errorOf(error)));
    else if (this.#hasEnded) this.#call.end();
    else this.#onDeath();
  }
}

/** @param value undefined: NULL */
function cellOf(value: string | undefined): CellValue {
  if (value === undefined) return null;
  if (/^-?\d+$/.test(value)) return BigInt(value);
  return /^-?\d+\.\d+$/.test(value) ? Number(value) : value;
}

/** `[TRACE]: MESSAGE (CODE)`, or a message alone. */
function errorOf(line: string): BigtraceError {
  const [, trace, message = line, code = 'internal'] =
    /^(?:\[(.*?)\]: )?(.*?)(?: \((\w+)\))?$/.exec(line) ?? [];
  return new BigtraceError(isErrorCode(code) ? code : 'internal', message, {
    ...(trace === undefined ? {} : { trace }),
  });
}
