import { expect, test } from 'vitest';
import { CreditWindow, firstCredits } from './credit-window.ts';

test('free credits are given once', () => {
  const window = new CreditWindow(2);
  expect([window.give(), window.give()]).toEqual([16, 0]);
  window.ended();
  expect(window.give()).toBe(1);
});

test('credits that a query assumes at its start are at most those that would be given', () => {
  const window = new CreditWindow(2);
  expect([window.give(10), window.give()]).toEqual([10, 6]);
  expect(new CreditWindow(2).give(1000)).toBe(firstCredits(2));
});

test('the window grows while traces start quickly and shrinks while they wait, within its limits', () => {
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

test('the window has a maximum for any number of threads', () => {
  expect([firstCredits(1), firstCredits(1024), new CreditWindow(1024).size]).toEqual([
    8, 1024, 1024,
  ]);
});
