import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { BigtraceOrchestrator } from '../../lib/proto/services.ts';
import { decodeFailures, decodeStatus } from '../grpc/report-messages.ts';
import { runFailures, runProgress } from './reports.ts';

const { Failures, Status } = BigtraceOrchestrator.service;

const failures = Failures.responseSerialize({
  failure: [
    {
      queryId: 'q1',
      user: 'analyst',
      trace: Buffer.from([0x2f, 0xff, 0x09]),
      code: 'trace_invalid',
      message: 'not\na trace',
      attempts: 2,
      timeMs: 1_795_345_249_722,
    },
    { queryId: 'q2', user: '', trace: '', code: 'cancelled', message: '', attempts: 0, timeMs: 1 },
  ],
});

const status = Status.responseSerialize({
  version: '1',
  worker: [{ address: 'w', state: 'ready' }],
  queriesRunning: 1,
  counters: { rows: 5 },
  query: [
    {
      queryId: 'q1',
      user: 'analyst',
      startedMs: 1_795_345_249_722,
      progress: {
        tracesTotal: 10,
        totalIsFinal: true,
        tracesDone: 4,
        tracesFailed: 0,
        rows: 2 ** 40,
        resultBytes: 6,
        traceBytes: 7,
        elapsedMs: 1500,
        ...{
          coreMs: 2500,
          tracesRemembered: 1,
          tracesLoaded: 0,
          tracesRestored: 2,
          tracesParsed: 3,
        },
        running: [
          {
            ...{ trace: Buffer.from("/local/it's\\\t\xff", 'latin1'), phase: 'PARSING' },
            ...{
              phaseMs: 1500,
              totalMs: 2000,
              queryId: 'q1',
              user: 'analyst',
              worker: 'w:1',
              mode: 'ROWS',
            },
          },
        ],
      },
    },
  ],
});

async function written(run: (stdout: PassThrough) => Promise<void>): Promise<string> {
  const stdout = new PassThrough();
  await run(stdout);
  return (stdout.read() as Buffer).toString('latin1');
}

test('runFailures writes a row of query, user, trace, code, message, attempts and time per failure', async () => {
  const client = {
    async *failures() {
      yield decodeFailures(failures);
    },
  };
  expect(await written((stdout) => runFailures(client, stdout))).toBe(
    'q1\tanalyst\t/\xff\\t\ttrace_invalid\tnot\\na trace\t2\t1795345249722\n' +
      'q2\t\t\tcancelled\t\t0\t1\nEND\n',
  );
});

test('runProgress writes a row per running query', async () => {
  const client = { running: async () => decodeStatus(status) };
  expect(await written((stdout) => runProgress(client, stdout))).toBe(
    'q1\tanalyst\t1795345249722\t1500\t10\t1\t4\t0\t1099511627776\t6\t7\t2500\t1\t0\t2\t3\t' +
      "[('/local/it\\'s\\\\\\t\xff','parsing',1.5,2,'w:1')]\nEND\n",
  );
});
