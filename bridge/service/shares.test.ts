/** Tests the shares of a query that several servers read, against an orchestrator whose events the test defines. */
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import { toServiceError } from '../../lib/common/grpc-errors.ts';
import { BridgeClient, connector } from '../grpc/bridge-client.ts';
import type { RowsEvent } from '../grpc/messages.ts';
import type { QueryInput } from '../request/request.ts';
import { type QueryStream, rowsEvent, startStub } from '../testing.ts';
import { Share } from './share.ts';
import { type Member, SharedQueries } from './shares.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** @param query answers the calls of Query */
async function start(
  query: (call: QueryStream) => void,
  gatherMs = 60_000,
): Promise<SharedQueries> {
  const { address, server } = await startStub({ query });
  const connect = connector(address, '--orchestrator', {});
  const connection = connect.connect();
  stops.push(() => {
    connection.close();
    server.forceShutdown();
  });
  return new SharedQueries(() => new BridgeClient(connect, connection), gatherMs);
}

const INPUT: QueryInput = {
  ...{ traces: [Buffer.from('/local/*')], sql: Buffer.from('SELECT n'), queryId: 'q', user: 'ann' },
  ...{ lenient: false, structure: '', statement: '' },
};

function join(shares: SharedQueries, server: string, more: Partial<Member> = {}): Share {
  const member = { server, cluster: 'main', servers: 2, ...more };
  return shares.join('key', member, { input: INPUT, errorToReport: async (error) => error });
}

async function tracesOf(share: Share): Promise<string[]> {
  const traces: string[] = [];
  for await (const { trace } of share.rows()) traces.push(Buffer.from(trace).toString());
  return traces;
}

const messageOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => 'no error',
    (error: Error) => error.message,
  );

const NAMES = Array.from({ length: 40 }, (_, nth) => `/local/${nth}`);

/** Sends 1 MiB for each trace. */
function sendAll(call: QueryStream): void {
  for (const name of NAMES) call.write({ event: [rowsEvent(name, ['x'.repeat(2 ** 20)])] });
  call.end();
}

test('the query starts with the last server, and small traces are spread evenly', async () => {
  let calls = 0;
  const shares = await start((call) => {
    calls++;
    for (const name of NAMES) call.write({ event: [rowsEvent(name, [1n])] });
    call.end();
  });
  const first = tracesOf(join(shares, 'a'));
  expect(calls).toBe(0);
  const both = await Promise.all([first, tracesOf(join(shares, 'b'))]);
  expect(both.map(({ length }) => length)).toEqual([20, 20]);
  expect(both.flat().sort()).toEqual(NAMES.toSorted());
  expect(calls).toBe(1);
});

test('a server that reads nothing gets few traces, and keeps them', async () => {
  const shares = await start(sendAll); // 8 traces are more than fits into its queue
  const [fast, slow] = [join(shares, 'a'), join(shares, 'b')];
  let taken = 0;
  const reading = (async () => {
    for await (const _ of fast.rows()) taken++;
  })();
  await expect.poll(() => taken, { timeout: 10_000 }).toBeGreaterThanOrEqual(NAMES.length - 8);
  const rest = await tracesOf(slow);
  await reading;
  expect(taken + rest.length).toBe(NAMES.length);
});

/** Rows of a trace that has none. */
const NO_ROWS = { trace: Buffer.from('/local/a'), result: Buffer.of(), last: true };

test('a queue is bounded also if its traces have no rows', () => {
  const share = new Share({ fail: () => {}, leave: () => {} });
  for (let nth = 0; nth < 30_000; nth++) share.push('/local/a', NO_ROWS);
  expect(share.hasRoom).toBe(false);
});

test('the time to read a trace does not grow with the queue', async () => {
  const share = new Share({ fail: () => {}, leave: () => {} });
  for (let nth = 0; nth < 300_000; nth++) share.push('/local/a', NO_ROWS);
  share.end();
  expect(await tracesOf(share)).toHaveLength(300_000);
}, 60_000);

test('the traces that a server has not begun when it leaves go to the others', async () => {
  const shares = await start(sendAll);
  const [stays, leaves] = [join(shares, 'a'), join(shares, 'b')];
  const begun: RowsEvent[] = [];
  for await (const rows of leaves.rows()) {
    begun.push(rows);
    break;
  }
  leaves.leave();
  const traces = await tracesOf(stays);
  const [first] = begun;
  expect([...traces, Buffer.from(first?.trace ?? []).toString()].sort()).toEqual(NAMES.toSorted());
});

test.each([0, 1, 2, 3, 4, 5])(
  'no trace is lost when a server leaves %i moments after it has read one',
  async (moments) => {
    const shares = await start(sendAll);
    const [stays, leaves] = [join(shares, 'a'), join(shares, 'b')];
    await expect.poll(() => stays.hasRoom || leaves.hasRoom, { timeout: 10_000 }).toBe(false);
    const begun = leaves.rows().next();
    for (let nth = 0; nth < moments; nth++) await Promise.resolve();
    leaves.leave();
    const traces = await tracesOf(stays);
    const first: RowsEvent = (await begun).value;
    expect([...traces, Buffer.from(first.trace).toString()].sort()).toEqual(NAMES.toSorted());
  },
);

test('when all servers have left, the query is cancelled', async () => {
  let onCall = (_: QueryStream): void => {};
  const called = new Promise<QueryStream>((resolve) => {
    onCall = resolve;
  });
  const shares = await start((call) => onCall(call));
  const both = [join(shares, 'a'), join(shares, 'b')];
  const call = await called;
  const cancelled = once(call, 'cancelled');
  for (const share of both) share.leave();
  await cancelled;
});

test('an error ends all shares', async () => {
  const error = toServiceError(new BigtraceError('sql_failed', 'no such column: n'));
  const shares = await start((call) => call.emit('error', error));
  const both = [join(shares, 'a'), join(shares, 'b')].map(({ failed }) => messageOf(failed));
  expect(await Promise.all(both)).toEqual(['no such column: n', 'no such column: n']);
});

test('an error of one server ends the shares of the others, also when all rows have arrived', async () => {
  const shares = await start((call) => call.end());
  const [one, other] = [join(shares, 'a'), join(shares, 'b')];
  await tracesOf(other);
  const failing = messageOf(one.fail(new Error('it does not fit')));
  expect([await failing, await messageOf(other.failed)]).toEqual([
    'it does not fit',
    'it does not fit',
  ]);
});

test('a server that asks twice is refused, during the query and after it', async () => {
  const shares = await start((call) => call.end());
  const first = join(shares, 'a');
  expect(() => join(shares, 'a')).toThrow('server a asks twice for its share of a query');
  expect(await messageOf(first.failed)).toContain('server a asks twice');
  expect(() => join(shares, 'b')).toThrow('server a asks twice');
  const others = await start((call) => call.end());
  await Promise.all([join(others, 'a'), join(others, 'b')].map(tracesOf));
  expect(() => join(others, 'b')).toThrow('server b asks twice');
});

test('servers that do not all ask in time, or leave before the start, end the query', async () => {
  const shares = await start(() => expect.unreachable('the query began'), 50);
  expect(await messageOf(join(shares, 'a').failed)).toContain(
    'only 1 of the 2 servers of the cluster main asked for their share within 0.05 s: a;',
  );
  expect(() => join(shares, 'b')).toThrow('only 1 of the 2 servers'); // b is late
  const others = await start(() => expect.unreachable('the query began'));
  const [a, b] = ['a', 'b'].map((server) => join(others, server, { servers: 3 }));
  b?.leave();
  expect(await messageOf(a?.failed ?? Promise.resolve())).toBe(
    'a server of the cluster main left before the start',
  );
});

test('servers with different configurations of the cluster end the query', async () => {
  const shares = await start(() => expect.unreachable('the query began'));
  const first = join(shares, 'a');
  join(shares, 'b', { servers: 3 });
  expect(await messageOf(first.failed)).toBe(
    'the cluster main has 2 servers in the configuration of a, and 3 in that of b',
  );
});
