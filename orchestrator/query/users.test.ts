/** Tests of the user name of a call, and of the limits of each user. */
import { expect, test } from 'vitest';
import { callerName } from '../grpc/caller.ts';
import { returnRows, type Script } from '../testing/stub-worker.ts';
import { gather, SOON, TestSystem } from '../testing/system.ts';
import { type UserBounds, Users } from './users.ts';

const BOUNDS: UserBounds = {
  userQueriesMax: 2,
  userResultBytesMax: 3600,
  userCoreSecondsMax: 3600,
};
const HOUR_MS = 3_600_000;

function peer(address: string, CN?: string): Parameters<typeof callerName>[1] {
  const context = CN === undefined ? {} : { sslPeerCertificate: { subject: { CN } } };
  return { getPeer: () => address, getAuthContext: () => context };
}

test('a caller is identified by the user it names, else by its certificate, else by its address', () => {
  expect(callerName('alice', peer('10.0.0.1:55', 'bridge'))).toBe('alice');
  expect(callerName('', peer('10.0.0.1:55', 'bridge'))).toBe('certificate:bridge');
  expect(callerName('', peer('10.0.0.1:55'))).toBe('address:10.0.0.1');
  expect(callerName('', peer('[::1]:55'))).toBe('address:::1');
  expect(callerName('', peer('::1:55'))).toBe('address:::1');
});

test('a caller cannot claim the name of a client known by its certificate or address', () => {
  expect(callerName('certificate:bridge', peer('10.0.0.1:55'))).toBe('user:certificate:bridge');
  expect(callerName('address:10.0.0.2', peer('10.0.0.1:55'))).toBe('user:address:10.0.0.2');
  expect(callerName('user:alice', peer('10.0.0.1:55'))).toBe('user:user:alice');
});

test('the number of running queries of each user is bounded', () => {
  const users = new Users(BOUNDS, () => 0);
  const ends = [users.begin('alice'), users.begin('alice')];
  expect(() => users.begin('alice')).toThrow(
    'too many queries of user alice: 2 are running (--user-queries 2); try again when one has ended',
  );
  users.begin('bob')();
  ends[0]?.();
  ends[0]?.(); // a second call has no effect
  expect(users.running('alice')).toBe(1);
  users.begin('alice');
});

test('the error of a spent budget names its option and the time to wait, and use decays evenly', () => {
  let now = 0;
  const users = new Users(BOUNDS, () => now);
  expect(users.addThreadMs('alice', 3_600_000)).toBeUndefined();
  expect(users.addThreadMs('alice', 90_000)?.message).toBe(
    'user alice has used the 3600 core-seconds of an hour (--user-core-seconds 3600); try again in 90 s',
  );
  expect(() => users.begin('alice')).toThrow('--user-core-seconds 3600');
  users.begin('bob')();
  now += 91_000;
  users.begin('alice')();
  expect(users.addResultBytes('alice', 3601)?.message).toContain('--user-result-bytes 3600');
  now += HOUR_MS;
  expect(users.addResultBytes('alice', 3599)).toBeUndefined();
});

test('a budget of 0 is unlimited', () => {
  const users = new Users({ ...BOUNDS, userResultBytesMax: 0, userCoreSecondsMax: 0 }, () => 0);
  expect(users.addResultBytes('alice', 2 ** 50)).toBeUndefined();
  expect(users.addThreadMs('alice', 2 ** 50)).toBeUndefined();
});

test('beyond 10 000 users, only users without running queries are forgotten', () => {
  const users = new Users(BOUNDS, () => 0);
  users.begin('alice');
  for (let at = 0; at < 20_000; at++) users.begin(`user ${at}`)();
  expect(users.size).toBe(10_000);
  expect(users.running('alice')).toBe(1);
});

const silent: Script = () => undefined;

test('beyond 10 000 users, a user that keeps trying keeps its spent budget', () => {
  const users = new Users(BOUNDS, () => 0);
  users.begin('alice')();
  users.addResultBytes('alice', 2 * BOUNDS.userResultBytesMax);
  for (const round of [1, 2]) {
    for (let n = 0; n < 9_999; n++) users.begin(`user ${round} ${n}`)();
    expect(() => users.begin('alice')).toThrow('result bytes of an hour');
  }
});

test('a user at the bound of running queries is refused while another user is served', async () => {
  await using system = await new TestSystem([{ script: silent }], { userQueriesMax: 2 }).start();
  const held = [1, 2].map((at) =>
    gather(system.begin(['/local/a'], { user: 'alice', queryId: `${at}` })),
  );
  const ended = held.map((one) => expect(one).rejects.toMatchObject({ code: 'cancelled' }));
  await expect.poll(() => system.workers[0]?.seen.length, SOON).toBe(2);
  await expect(system.query(['/local/a'], { user: 'alice' })).rejects.toMatchObject({
    code: 'too_many_queries',
    message: expect.stringContaining('user alice: 2 are running (--user-queries 2)'),
  });
  for (const worker of system.workers) worker.script = returnRows;
  expect(await system.query(['/local/a'], { user: 'bob' })).toHaveLength(1);
  for (const at of [1, 2]) await system.cancel(`${at}`);
  await Promise.all(ended);
  expect(await system.query(['/local/a'], { user: 'alice' })).toHaveLength(1);
});

test('a query that spends its user’s core-seconds fails, and workers receive the user’s name', async () => {
  const seen: string[] = [];
  const script: Script = ({ start, trace, rows }) => {
    seen.push(start.user ?? '');
    rows(`rows of ${trace}`, true, { loadMs: 40_000 });
  };
  await using system = await new TestSystem([{ script }], { userCoreSecondsMax: 100 }).start();
  const traces = Array.from({ length: 50 }, (_, at) => `/local/${at}`);
  await expect(system.query(traces, { user: 'alice' })).rejects.toMatchObject({
    code: 'limit_exceeded',
    message: expect.stringContaining(
      'user alice has used the 100 core-seconds of an hour (--user-core-seconds 100)',
    ),
  });
  expect(await system.query(traces.slice(0, 1), { user: 'bob' })).toHaveLength(1);
  await system.query(traces.slice(0, 1));
  expect(new Set(seen)).toEqual(new Set(['alice', 'bob', 'address:127.0.0.1']));
});

test('the result bytes of one user within an hour are bounded', async () => {
  await using system = await new TestSystem([{}], { userResultBytesMax: 100 }).start();
  const traces = Array.from({ length: 50 }, (_, at) => `/local/${at}`);
  await expect(system.query(traces, { user: 'alice' })).rejects.toMatchObject({
    message: expect.stringContaining('100 result bytes of an hour (--user-result-bytes 100)'),
  });
});
