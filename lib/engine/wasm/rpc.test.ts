import { expect, test } from 'vitest';
import { queryError, ReplyFrames, readReply, requestHead } from './rpc.ts';

test('requestHead frames a request up to its body', () => {
  expect([...requestHead('finalize', 0)]).toEqual([0x0a, 2, 0x10, 2]);
  expect([...requestHead('append', 3)]).toEqual([0x0a, 8, 0x10, 1, 0xaa, 6, 3]);
  expect([...requestHead('query', 200)]).toEqual([
    ...[0x0a, 0xd1, 1, 0x10, 3], // frame of 209 bytes, request: query
    ...[0xba, 6, 0xcb, 1], // query_args of 203
    ...[0x0a, 0xc8, 1], // sql_query of 200
  ]);
});

test('ReplyFrames reassembles messages from pieces of any size', () => {
  const long = new Uint8Array(300).fill(7);
  const stream = Uint8Array.of(0x0a, 2, 1, 2, 0x0a, 0xac, 0x82, 0, ...long, 0x0a, 0, 0x0a, 1, 9);
  for (let size = 1; size <= stream.length; size++) {
    const frames = new ReplyFrames();
    const messages: number[][] = [];
    for (let at = 0; at < stream.length; at += size)
      frames.push(stream.subarray(at, at + size), (message) => messages.push([...message]));
    expect(messages).toEqual([[1, 2], [...long], [], [9]]);
  }
});

test('readReply and queryError read the fields of replies', () => {
  const error = [0x12, 3, 0x62, 0x61, 0x64]; // field 2: "bad"
  expect(readReply(Uint8Array.of(8, 5, 0x18, 1, 0xca, 0x0c, 5, ...error)).appendError).toBe('bad');
  expect(readReply(Uint8Array.of(0x2a, 1, 0x21)).fatalError).toBe('!');
  expect(queryError(Uint8Array.of(0x1a, 0, ...error))).toBe('bad');
  expect(queryError(Uint8Array.of(0x1a, 0))).toBeUndefined();
});
