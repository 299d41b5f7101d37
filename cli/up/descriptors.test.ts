import { expect, it } from 'vitest';
import { checkDescriptors } from './descriptors.ts';

it('reports a limit that is too low, and how to raise it', () => {
  expect(() => checkDescriptors(256)).toThrow(
    'this process may open 256 files, but bigtrace up needs 1024; raise the limit (ulimit -n 1024, ',
  );
});

it.each([1024, 1_048_576, Number.POSITIVE_INFINITY])('accepts the limit %s', (filesMax) => {
  expect(() => checkDescriptors(filesMax)).not.toThrow();
});

it('accepts the limits of this process', () => {
  expect(() => checkDescriptors()).not.toThrow();
});
