import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { PrintBuffer } from './print-buffer.ts';

const { signal } = new AbortController();

it('combines small pieces into one write, and flushes the rest', async () => {
  const addressArguments: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      addressArguments.push(chunk.toString());
      done();
    },
  });
  const output = new PrintBuffer(stream);
  for (const piece of ['a', 'b', 'c']) await output.print(Buffer.from(piece), signal);
  await expect.poll(() => addressArguments).toEqual(['abc']);
  await output.print(Buffer.from('d'), signal);
  output.flush();
  expect(addressArguments).toEqual(['abc', 'd']);
});

it('waits for a slow reader', async () => {
  let taken = 0;
  let take: () => void = () => {};
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      take = () => {
        taken += chunk.length;
        done();
      };
    },
  });
  const output = new PrintBuffer(stream);
  let printed = false;
  const printing = output.print(Buffer.alloc(100_000), signal).then(() => {
    printed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(printed).toBe(false);
  take();
  await printing;
  expect(taken).toBe(100_000);
});
