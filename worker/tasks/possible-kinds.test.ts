import { beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../lib/engine/index.ts';
import { ThreadPermits } from '../scheduling/thread-permits.ts';
import type { Turn } from '../scheduling/turns.ts';
import { INFERENCE_THREADS, PossibleKinds } from './possible-kinds.ts';
import { scriptFacts } from './script.ts';
import { loadInThread } from './spare-thread.ts';

/** Stands in for an engine thread: the script `endless` has no answer, others have their length. */
const THREAD = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ([{ sql }]) => {
      const text = new TextDecoder().decode(sql);
      if (!text.startsWith('endless')) parentPort.postMessage({ type: 'possibleKinds', kinds: [text.length] });
    });
  `)}`,
);

/** The threads of this test do not use it. */
const ENGINE = { code: { runtime: 'v8' } } as Engine;

let threads: ThreadPermits;
let possible: PossibleKinds;

beforeEach(() => {
  threads = new ThreadPermits({ ...INFERENCE_THREADS, longMs: 10, hasRoom: () => true });
  possible = new PossibleKinds({ engine: ENGINE, threadEntry: THREAD, threads });
});

const turnOf = (user: string): Turn => ({ user, query: {} });

function infer(sql: string, turn: Turn, { signal }: AbortController): Promise<unknown> {
  return possible
    .of(scriptFacts(Buffer.from(sql), []), turn, signal)
    .catch((thrown: unknown) => thrown);
}

test('the scripts of one user whose inference does not end leave room for those of another', async () => {
  const leave = new AbortController();
  const hostile = Array.from({ length: 20 }, (_, at) =>
    infer(`endless ${at}`, turnOf('hostile'), leave),
  );
  for (const sql of ['a', 'bb', 'ccc'])
    expect(await infer(sql, turnOf('good'), leave)).toEqual([sql.length]);
  leave.abort('left');
  expect(await Promise.all(hostile)).toEqual(hostile.map(() => 'left'));
  await expect.poll(() => [threads.taken, threads.waiting]).toEqual([0, 0]);
});

test('an inference ends when the last of its callers has left', async () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const turn = turnOf('a');
  const inferences = [infer('endless', turn, first), infer('endless', turn, second)];
  expect(threads.taken).toBe(1);
  first.abort('first left');
  expect(await inferences[0]).toBe('first left');
  expect(threads.taken).toBe(1);
  second.abort('second left');
  expect(await inferences[1]).toBe('second left');
  await expect.poll(() => threads.taken).toBe(0);
});

test('a user does not wait for the turn of another who has the same script', async () => {
  const leave = new AbortController();
  const hostile = turnOf('hostile');
  const waiting = ['endless 1', 'endless 2', 'endless 3', 'same'].map((sql) =>
    infer(sql, hostile, leave),
  );
  expect(await infer('same', turnOf('good'), leave)).toEqual([4]);
  leave.abort('left');
  await Promise.all(waiting);
});

test('a finished inference is remembered for all users', async () => {
  const leave = new AbortController();
  expect(await infer('abc', turnOf('a'), leave)).toEqual([3]);
  const again = infer('abc', turnOf('b'), leave);
  expect(threads.taken).toBe(0);
  expect(await again).toEqual([3]);
});

test('a thread that ends while it loads an engine is an error that says so', async () => {
  const threadEntry = new URL('data:text/javascript,process.exit(1)');
  const loaded = loadInThread({ engine: ENGINE, threadEntry }, '/engine64.wasm', []);
  await expect(loaded).rejects.toMatchObject({
    code: 'internal',
    detail:
      '/engine64.wasm was not loaded: the thread that loads it ended, or took more than 120 s',
  });
});
