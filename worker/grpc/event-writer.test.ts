import { expect, test } from 'vitest';
import type { RunResponse } from '../../lib/proto/messages.ts';
import { type EventSink, EventWriter } from './event-writer.ts';

/** A reader that accepts `takes` messages before it becomes slow. */
class SlowSink implements EventSink {
  readonly messages: RunResponse[] = [];
  ended = false;
  #takes: number;
  #drain: (() => void) | undefined;

  constructor(takes: number) {
    this.#takes = takes;
  }

  write(message: RunResponse): boolean {
    this.messages.push(message);
    return --this.#takes > 0;
  }

  once(_event: 'drain', listener: () => void): void {
    this.#drain = listener;
  }

  end(): void {
    this.ended = true;
  }

  drain(takes: number): void {
    this.#takes = takes;
    this.#drain?.();
  }

  get events(): number {
    return this.messages.reduce((sum, { event }) => sum + event.length, 0);
  }
}

function rows(bytes: number) {
  return [
    { rows: { id: 1, result: Buffer.alloc(bytes), last: false, stats: null } },
    bytes,
  ] as const;
}

test('events of the same moment are sent in one message', async () => {
  const sink = new SlowSink(10);
  const writer = new EventWriter(sink);
  for (let at = 0; at < 100; at++) expect(writer.add({ credits: 1 })).toBeUndefined();
  await new Promise((resolve) => setImmediate(resolve));
  expect(sink.messages).toHaveLength(1);
  expect(sink.events).toBe(100);
});

test('producers of rows wait while the reader is slow, and no event is lost', async () => {
  const sink = new SlowSink(1);
  const writer = new EventWriter(sink);
  expect(writer.add(...rows(2 ** 20))).toBeUndefined(); // accepted, and the last one before the sink blocks
  for (let at = 0; at < 3; at++) expect(writer.add(...rows(2 ** 20))).toBeUndefined();
  const waits = writer.add(...rows(2 ** 20));
  expect(waits).toBeInstanceOf(Promise);
  expect(sink.messages).toHaveLength(1);
  sink.drain(10);
  await waits;
  expect(sink.events).toBe(5);
});

test('end() sends the remaining events, even if the reader is slow', () => {
  const sink = new SlowSink(1);
  const writer = new EventWriter(sink);
  void writer.add(...rows(2 ** 20));
  void writer.add({ credits: 1 });
  writer.end();
  expect(sink.events).toBe(2);
  expect(sink.ended).toBe(true);
  expect(writer.add({ credits: 1 })).toBeUndefined();
  expect(sink.events).toBe(2);
});

test('close() wakes waiting producers and sends nothing', async () => {
  const sink = new SlowSink(1);
  const writer = new EventWriter(sink);
  void writer.add(...rows(2 ** 20));
  const waits = writer.add(...rows(5 * 2 ** 20));
  writer.close();
  await waits;
  expect(sink.messages).toHaveLength(1);
});
