import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { drained } from './stream-drain.ts';

test.each(['drain', 'close'])('resolves on %s, and removes its listeners', async (event) => {
  const stream = new EventEmitter();
  for (let time = 0; time < 20; time++) {
    const waiting = drained(stream);
    expect(stream.listenerCount(event)).toBe(1);
    stream.emit(event);
    await waiting;
    expect([stream.listenerCount('drain'), stream.listenerCount('close')]).toEqual([0, 0]);
  }
});
