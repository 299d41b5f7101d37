import { expect, test } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import { FIRST_READING, memoryBoundText } from '../../lib/engine/index.ts';
import { type FeedThread, feed } from './feed.ts';
import type { Call, FinalReply, ProgressReply } from './thread-call.ts';
import type { ThreadRequest } from './thread-protocol.ts';

const MIB = 2 ** 20;
const LOAD = {
  engineVersion: 'Perfetto v55.3-abc',
  loadBound: { minMs: 60_000, bytesPerSecond: MIB },
  reading: { mode: FIRST_READING, unpackedBytesMax: 2 ** 32 },
  onPhase: () => {},
};

/** A fake thread that parses chunks until `end` returns the outcome of the load. */
function threadThat(end: (appended: number) => FinalReply | BigtraceError | undefined): FeedThread {
  let settle: { resolve: (reply: FinalReply) => void; reject: (thrown: unknown) => void };
  let passing: (reply: ProgressReply) => void;
  let appended = 0;
  const call: Call = {
    ...{ onProgress: () => {}, active: true, settle: () => {}, close: () => {} },
    closed: Promise.resolve(),
  };
  const over = (outcome: FinalReply | BigtraceError): void => {
    call.active = false;
    if (outcome instanceof BigtraceError) settle.reject(outcome);
    else settle.resolve(outcome);
  };
  const post = (request: ThreadRequest): void => {
    if (request.type === 'finalize') over({ type: 'loaded', loadMs: 5, memoryBytes: MIB });
    if (request.type !== 'append') return;
    const outcome = end(++appended);
    if (outcome !== undefined) {
      over(outcome);
      return;
    }
    const { byteLength } = request.bytes;
    queueMicrotask(() => passing({ type: 'appended', byteLength, memoryBytes: MIB }));
  };
  return {
    begin: (onProgress) => {
      passing = onProgress;
      const done = new Promise<FinalReply>((resolve, reject) => {
        settle = { resolve, reject };
      });
      return { call, done };
    },
    post,
    abandon: (_, thrown) => over(thrown as BigtraceError),
    cpuMsFromNow: () => () => undefined,
  };
}

async function* chunks(count: number) {
  for (let at = 0; at < count; at++) yield new Uint8Array(MIB);
}

/** A fake thread that exceeds its memory limit at the given chunk. */
function boundAt(chunk: number, memoryBytesMax: number): FeedThread {
  return threadThat((appended) =>
    appended < chunk
      ? undefined
      : new BigtraceError('limit_exceeded', memoryBoundText(memoryBytesMax)),
  );
}

test('a trace is fed to its end', async () => {
  const thread = threadThat(() => undefined);
  const options = { ...LOAD, memoryBytesMax: 64 * MIB, traceBytes: undefined };
  expect(await feed(thread, chunks(20), options)).toEqual({ loadMs: 5, traceBytes: 20 * MIB });
});

test('a trace that exceeds the memory limit fails with an estimate of what all of it needs', async () => {
  const memoryBytesMax = 64 * MIB;
  const fed = (size: number | undefined) =>
    feed(boundAt(4, memoryBytesMax), chunks(40), { ...LOAD, memoryBytesMax, traceBytes: size });
  await expect(fed(40 * MIB)).rejects.toMatchObject({
    code: 'limit_exceeded',
    detail:
      'TraceProcessor needs more memory than its bound of 67108864 bytes: the first 4194304 of 41943040 bytes of ' +
      'the trace needed it, all of it needs about 671088640 bytes, which --instance-memory-bytes of the ' +
      'workers must allow',
  });
  await expect(fed(400 * MIB)).rejects.toThrow(
    'all of it needs about 6710886400 bytes, more than the 4294967296 bytes of 32-bit memory: an engine with 64-bit ' +
      'memory (Node 24 or later; `bigtrace engine add v55.3`, docs/engines.md) can have them if --instance-memory-bytes of ' +
      'the workers allows it',
  );
  // Without the trace's size, or if all of it was parsed, nothing is known about the rest.
  for (const size of [undefined, 4 * MIB])
    await expect(fed(size)).rejects.toMatchObject({ detail: memoryBoundText(memoryBytesMax) });
});

test('other errors are passed on unchanged', async () => {
  const options = { ...LOAD, memoryBytesMax: 64 * MIB, traceBytes: 40 * MIB };
  const invalid = new BigtraceError('trace_invalid', 'no trace');
  await expect(
    feed(
      threadThat(() => invalid),
      chunks(4),
      options,
    ),
  ).rejects.toBe(invalid);
  const long = new BigtraceError('limit_exceeded', 'the trace is too long');
  const source = async function* () {
    yield new Uint8Array(MIB);
    throw long;
  };
  await expect(
    feed(
      threadThat(() => undefined),
      source(),
      options,
    ),
  ).rejects.toBe(long);
});
