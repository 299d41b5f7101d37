import { expect, it } from 'vitest';
import { BLOCK_ROWS, Blocks } from './blocks.ts';

const rowsFrom = (offset: number) =>
  Array.from({ length: BLOCK_ROWS }, (_, at) => ({ values: [String(offset + at)] }));

it('loads each block once', async () => {
  const loaded: number[] = [];
  const blocks = new Blocks(async (offset) => {
    loaded.push(offset);
    return rowsFrom(offset);
  });
  await Promise.all([blocks.need(150, 250), blocks.need(190, 210)]);
  expect(loaded).toEqual([0, 200]);
  expect(blocks.row(249)?.values).toEqual(['249']);
  expect(blocks.row(400)).toBeUndefined();
  expect(await blocks.need(0, 400)).toBe(false);
});

it('keeps no rows of an earlier order that come late', async () => {
  let release: (() => void) | undefined;
  const blocks = new Blocks(async () => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return [{ values: ['old'] }];
  });
  const late = blocks.need(0, 1);
  blocks.clear();
  release?.();
  await late;
  expect(blocks.row(0)).toBeUndefined();
});

it('asks again for a block that failed, and keeps a bounded number', async () => {
  let fails = true;
  const blocks = new Blocks(async (offset) => {
    if (fails) throw new Error('no network');
    return rowsFrom(offset);
  });
  await expect(blocks.need(0, 1)).rejects.toThrow('no network');
  fails = false;
  for (let block = 0; block < 60; block++) await blocks.need(block * 200, block * 200 + 1);
  expect(blocks.row(0)).toBeUndefined();
  expect(blocks.row(59 * 200)?.values).toEqual(['11800']);
});
