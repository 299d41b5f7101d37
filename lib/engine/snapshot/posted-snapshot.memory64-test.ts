/** Snapshots of more than 4 GiB between threads. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { PAGE_BYTES, receivedSnapshot, type Snapshot } from './snapshot.ts';

const BYTES = 2 ** 32 + PAGE_BYTES;

test.each([ArrayBuffer, SharedArrayBuffer])('a snapshot in a large %s is received whole', (Of) => {
  const contents = new Uint8Array(new Of(BYTES));
  const runs = Uint32Array.of(0, BYTES / PAGE_BYTES);
  const snapshot: Snapshot = { engine: 'e', memoryBytes: BYTES, runs, contents };
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(snapshot, contents.buffer instanceof ArrayBuffer ? [contents.buffer] : []);
  const received = receiveMessageOnPort(port2)?.message as Snapshot;
  expect(receivedSnapshot(received).contents.length).toBe(BYTES);
  port1.close();
});
