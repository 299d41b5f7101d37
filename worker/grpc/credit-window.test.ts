import { expect, test } from 'vitest';
import { CreditWindow, firstCredits } from './credit-window.ts';

test('gives what is free, and not twice', () => {
  const window = new CreditWindow(2);
  expect([window.give(), window.give()]).toEqual([16, 0]);
  window.ended();
  expect(window.give()).toBe(1);
});

test('what is counted on from the beginning is no more than what would be given', () => {
  const window = new CreditWindow(2);
  expect([window.give(10), window.give()]).toEqual([10, 6]);
  expect(new CreditWindow(2).give(1000)).toBe(firstCredits(2));
});

test('grows while traces do not wait, shrinks when they do, within its bounds', () => {
  const window = new CreditWindow(2);
  window.give();
  for (let i = 0; i < 2000; i++) window.began(1);
  expect(window.size).toBe(1024);
  expect(window.give()).toBe(1008);
  window.began(50);
  expect(window.size).toBe(1024);
  for (let i = 0; i < 2000; i++) window.began(500);
  expect(window.size).toBe(4);
  expect(window.give()).toBe(0);
});

test('however many threads there are, its bound holds', () => {
  expect([firstCredits(1), firstCredits(1024), new CreditWindow(1024).size]).toEqual([
    8, 1024, 1024,
  ]);
});
