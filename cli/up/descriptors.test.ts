import { expect, it } from 'vitest';
import { checkDescriptors } from './descriptors.ts';

const limits = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units     
Max processes             95967                95967                processes 
Max open files            ${soft.padEnd(21)}${soft.padEnd(21)}files     
`;

it('reports a limit that is too low, and how to raise it', () => {
  expect(() => checkDescriptors(limits('256'))).toThrow(
    'this process may open 256 files, but bigtrace up needs 1024; raise the limit (ulimit -n 1024, ',
  );
});

it.each(['1024', '1048576', 'unlimited'])('accepts the limit %s', (soft) => {
  expect(() => checkDescriptors(limits(soft))).not.toThrow();
});

it('accepts the limits of this process', () => {
  expect(() => checkDescriptors()).not.toThrow();
});
