import { expect, test } from 'vitest';
import { CreditWindow } from './credit-window.ts';

test('gives what is free, and not twice', () => {
  const window = new CreditWindow(4, 100);
  expect([window.give(), window.give()]).toEqual([4, 0]);
  window.ended();
  expect(window.give()).toBe(1);
});

test('grows while traces do not wait, shrinks when they do, within its bounds', () => {
  const window = new CreditWindow(4, 16);
  window.give();
  for (let i = 0; i < 50; i++) window.began(1);
  expect(window.size).toBe(16);
  expect(window.give()).toBe(12);
  window.began(50);
  expect(window.size).toBe(16);
  for (let i = 0; i < 50; i++) window.began(500);
  expect(window.size).toBe(4);
  expect(window.give()).toBe(0);
});
