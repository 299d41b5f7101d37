import { expect, it } from 'vitest';
import { LastLines } from './last-lines.ts';

it('keeps the last lines, messages of JSON logs, and an unfinished line', () => {
  const last = new LastLines();
  for (let n = 0; n < 20; n++) last.add(`line ${n}\n`);
  last.add('{"level":50,"msg":"out of ');
  last.add('memory","err":{"message":"no"}}\nthe');
  last.add(' end');
  expect(last.lines.slice(-3)).toEqual(['line 19', 'out of memory: no', 'the end']);
  expect(last.lines.length).toBe(12);
});

it('limits the memory for a process that never ends its line', () => {
  const last = new LastLines();
  for (let n = 0; n < 100; n++) last.add('x'.repeat(10_000));
  expect(last.lines).toEqual(['x'.repeat(500)]);
});
