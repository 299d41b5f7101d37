import { expect, it } from 'vitest';
import { chosenTraces } from './addresses.ts';

it('asks the picked traces, or else those of the filter', () => {
  expect(chosenTraces(['/local/a', '/gcs/b/c'], 'arch = 1')).toBe('/local/a\n/gcs/b/c');
  expect(chosenTraces([], " arch\n= 'x' ")).toBe("/where/arch = 'x'");
  expect(chosenTraces([], '')).toBe('/where/true');
});

it('compares an address that would be a pattern', () => {
  expect(chosenTraces(["/local/it's [1].gz", '/local/a\nb'], '')).toBe(
    "/where/address = '/local/it\\'s [1].gz'\n/where/address = '/local/a\\nb'",
  );
});

it('keeps the blanks in a filter, and at the end of an address', () => {
  expect(chosenTraces([], "device = 'a  b\t'")).toBe("/where/device = 'a  b\t'");
  expect(chosenTraces(['/local/a ', '/local/a\rb'], '')).toBe(
    "/where/address = '/local/a '\n/where/address = '/local/a\\rb'",
  );
});
