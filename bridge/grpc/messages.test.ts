import { expect, test } from 'vitest';
import { addressesDigest } from '../../lib/common/addresses/addresses-digest.ts';
import type { QueryResponseInput, SchemaResponseInput } from '../../lib/proto/messages.ts';
import { BigtraceOrchestrator } from '../../lib/proto/services.ts';
import {
  decodeQueryResponse,
  decodeSchemaResponse,
  encodeLearnRequest,
  encodeSchemaRequest,
  encodeStart,
  encodeTraces,
} from './messages.ts';

const { Query, Schema, Learn } = BigtraceOrchestrator.service;

const START = { queryId: 'q', sql: Buffer.of(0xff, 0), lenient: true, user: 'u'.repeat(300) };
const ADDRESSES = [Buffer.from('/local/a'), Buffer.of(0xff), Buffer.alloc(20_000, 'x')];

test('requests decode with the .proto definition', () => {
  const start = Query.requestDeserialize(encodeStart(START));
  expect(start.start).toMatchObject({
    queryId: 'q',
    sql: START.sql,
    onFailure: 'LENIENT',
    user: START.user,
    progressIntervalMs: 0,
  });
  const traces = Query.requestDeserialize(encodeTraces(ADDRESSES));
  expect(traces.traces?.address).toEqual(ADDRESSES);
  const schema = Schema.requestDeserialize(
    encodeSchemaRequest({ ...START, again: true }, ADDRESSES),
  );
  expect(schema).toMatchObject({
    queryId: 'q',
    sql: START.sql,
    onFailure: 'LENIENT',
    user: START.user,
    address: ADDRESSES,
    again: true,
  });
  const learnedType = { column: 300, kinds: 17, tracesDigest: addressesDigest(ADDRESSES) };
  const learn = Learn.requestDeserialize(encodeLearnRequest(START, learnedType));
  expect(learn).toEqual({ user: START.user, sql: START.sql, ...learnedType });
});

test('responses encoded with the .proto definition are decoded', () => {
  const rows = { trace: Buffer.from('/local/a'), result: Buffer.of(1, 2), last: true };
  const failure = { trace: Buffer.of(0xff), code: 'trace_invalid', message: 'é', attempts: 2 };
  const response: QueryResponseInput = {
    event: [
      { rows },
      { failure },
      {
        progress: {
          tracesTotal: 5,
          totalIsFinal: true,
          tracesDone: 1,
          tracesFailed: 0,
          rows: 2 ** 40,
          resultBytes: 1,
          traceBytes: 1,
          elapsedMs: 1,
        },
      },
    ],
  };
  const events = decodeQueryResponse(Query.responseSerialize(response));
  const { attempts: _, ...known } = failure;
  expect(events).toEqual([{ rows }, { failure: known }]);
  const columns: SchemaResponseInput = {
    column: [
      { name: Buffer.of(0xff), cellKinds: 60, possibleKinds: 62, learnedKinds: 17 },
      { name: Buffer.of(), cellKinds: 0, learnedKinds: 0 },
    ],
    tracesSampled: 4,
  };
  const schema = decodeSchemaResponse(Schema.responseSerialize(columns));
  expect(schema).toEqual([
    { name: Buffer.of(0xff), cellKinds: 60, learnedKinds: 17 },
    { name: Buffer.of(), cellKinds: 0, learnedKinds: 0 },
  ]);
});
