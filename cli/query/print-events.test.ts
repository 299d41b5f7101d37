import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { toServiceError } from '../../lib/common/grpc-errors.ts';
import type { QueryRequest, QueryResponse, QueryStartInput } from '../../lib/proto/messages.ts';
import { BigtraceOrchestrator } from '../../lib/proto/services.ts';
import { createFormat } from './formats.ts';
import { linesOf, printEvents } from './print-events.ts';

type Call = grpc.ServerDuplexStream<QueryRequest, QueryResponse>;

let server: grpc.Server;
let client: OrchestratorClient;
/** The test orchestrator's handler for queries. */
let respond: (call: Call) => void;

beforeEach(async () => {
  server = new grpc.Server();
  server.addService(BigtraceOrchestrator.service, { Query: (call: Call) => respond(call) });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  client = new OrchestratorClient(`127.0.0.1:${port}`);
});
afterEach(() => {
  client.close();
  server.forceShutdown();
});

/** Encodes a QueryResult with one column `n` of small integers. */
function result(name: string, values: number[], isLast = true): Buffer {
  const field = (number: number, bytes: number[]): number[] => [
    (number << 3) | 2,
    bytes.length,
    ...bytes,
  ];
  const batch = [
    ...field(
      1,
      values.map(() => 2),
    ),
    ...field(2, values),
    ...(isLast ? [0x30, 1] : []),
  ];
  return Buffer.from([...(name ? field(1, [...Buffer.from(name)]) : []), ...field(3, batch)]);
}

function rows(trace: string, bytes: Buffer, last = true): QueryResponse['event'][number] {
  return { rows: { trace: Buffer.from(trace), result: bytes, last } };
}

interface Ran {
  printed: string;
  failed: number;
}

async function runQuery(traces: string[][], signal = new AbortController().signal): Promise<Ran> {
  const outcome = { printed: '', failed: 0 };
  const start: QueryStartInput = {
    queryId: 'q',
    sql: Buffer.from('SELECT 1'),
    onFailure: 'STRICT',
    user: 'me',
    progressIntervalMs: 0,
  };
  const addresses = traces.map((batch) => batch.map((address) => Buffer.from(address)));
  await printEvents(client.query(start, addresses, signal), {
    format: createFormat('csv'),
    print: (bytes) => {
      outcome.printed += bytes.toString();
      return Promise.resolve();
    },
    onProgress: () => {},
    onFailure: () => {
      outcome.failed++;
    },
  });
  return outcome;
}

it('sends the script, then all traces, and prints the rows of interleaved traces', async () => {
  const received: string[] = [];
  respond = (call) => {
    call.on('data', ({ start, traces }: QueryRequest) => {
      received.push(start ? start.sql.toString() : String(traces?.address));
    });
    call.on('end', () => {
      call.write({ event: [rows('/local/a', result('n', [1, 2], false), false)] });
      call.write({
        event: [rows('/local/b', result('n', [3])), rows('/local/a', result('', [4]))],
      });
      call.end();
    });
  };
  expect(await runQuery([['/local/a'], ['/local/b', '/local/c']])).toEqual({
    printed: '_trace_address,n\n/local/a,1\n/local/a,2\n/local/b,3\n/local/a,4\n',
    failed: 0,
  });
  expect(received).toEqual(['SELECT 1', '/local/a', '/local/b,/local/c']);
});

it('rejects a trace whose columns differ', async () => {
  respond = (call) => {
    call.write({
      event: [rows('/local/a', result('n', [1])), rows('/local/b', result('m', [2]))],
    });
    call.end();
  };
  await expect(runQuery([['/local/*']])).rejects.toThrow('[/local/b]: its columns are m, not n');
});

it('rejects with the error of the orchestrator, including its code and trace', async () => {
  respond = (call) => {
    call.emit(
      'error',
      toServiceError(new BigtraceError('sql_failed', 'no', { trace: '/local/a' })),
    );
  };
  await expect(runQuery([['/local/a']])).rejects.toMatchObject({
    code: 'sql_failed',
    message: '[/local/a]: no',
  });
});

it('counts failed traces of a lenient query', async () => {
  respond = (call) => {
    const failure = {
      trace: Buffer.from('/local/a'),
      code: 'sql_failed',
      message: 'no',
      attempts: 1,
    };
    call.write({ event: [{ failure }] });
    call.end();
  };
  expect(await runQuery([['/local/a']])).toEqual({ printed: '_trace_address\n', failed: 1 });
});

it('cancels the call when the signal is aborted', async () => {
  const abort = new AbortController();
  const cancelled = new Promise((resolve) => {
    respond = (call) => {
      call.on('cancelled', resolve);
      abort.abort();
    };
  });
  await expect(runQuery([['/local/a']], abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  await cancelled;
});

it('reports that the orchestrator is unreachable', async () => {
  server.forceShutdown();
  await expect(runQuery([['/local/a']])).rejects.toMatchObject({
    code: 'orchestrator_unreachable',
  });
});

it('reads one address per line, across chunk boundaries and with any bytes', async () => {
  const chunks = ['/local/a\n/lo', 'cal/b\r\n\n', '/local/\xff'].map((text) =>
    Buffer.from(text, 'latin1'),
  );
  const batches: string[][] = [];
  const input = (async function* () {
    yield* chunks;
  })();
  for await (const batch of linesOf(input))
    batches.push(batch.map((line) => line.toString('latin1')));
  expect(batches).toEqual([['/local/a'], ['/local/b'], ['/local/\xff']]);
});
