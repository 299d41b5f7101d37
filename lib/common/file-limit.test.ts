import { expect, it } from 'vitest';
import { openFilesMax, reportedLimit, softFileLimit } from './file-limit.ts';

const limits = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units     
Max processes             95967                95967                processes 
Max open files            ${soft.padEnd(21)}${soft.padEnd(21)}files     
`;

it.each([
  ['256', 256],
  ['1048576', 1_048_576],
  ['unlimited', Number.POSITIVE_INFINITY],
])('reads the soft limit %s', (soft, expected) => {
  expect(softFileLimit(limits(soft))).toBe(expected);
});

it("finds the limit of this process in /proc and in Node's report", () => {
  expect(openFilesMax()).toBe(reportedLimit());
  expect(reportedLimit()).toBeGreaterThan(0);
});
