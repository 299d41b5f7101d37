/**
 * A worker process that responds to every task at once with the same row, so that a bench measures only the transport.
 * `node bench.js stub-worker` prints its address.
 */
import * as grpc from '@grpc/grpc-js';
import type { RunRequest, RunResponseInput, WorkerStatusInput } from '../lib/proto/messages.ts';
import { BigtraceWorker, GRPC_OPTIONS } from '../lib/proto/services.ts';
import { CellType } from '../lib/query-result/index.ts';

export const STUB_WORKER = 'stub-worker';

const WINDOW = 1024;

/** A result with one column `n` and one row, whose value is 1. */
const RESULT = Buffer.from('0a016e1a080a01021201013001', 'hex');

type Call = grpc.ServerDuplexStream<RunRequest, RunResponseInput>;

export async function stubWorkerMain(): Promise<void> {
  const server = new grpc.Server(GRPC_OPTIONS);
  server.addService(BigtraceWorker.service, {
    Run: run,
    Status: (_call: unknown, done: grpc.sendUnaryData<WorkerStatusInput>) => done(null, STATUS),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  console.log(`127.0.0.1:${port}`);
}

const STATUS: WorkerStatusInput = { version: 'stub', engine: 'none', threads: 1 };

function run(call: Call): void {
  let mode = 'ROWS';
  call.on('data', ({ start, assign }: RunRequest) => {
    if (start) {
      mode = start.mode;
      call.write({ event: [{ credits: WINDOW }] });
    } else if (assign) {
      const events = assign.task.map(({ id }) =>
        mode === 'TYPES'
          ? { types: { id, column: [{ name: Buffer.from('n'), cellKinds: 1 << CellType.VARINT }] } }
          : { rows: { id, result: RESULT, last: true } },
      );
      call.write({ event: [...events, { credits: assign.task.length }] });
    }
  });
  call.on('end', () => call.end());
}
