import { expect, it } from 'vitest';
import { checkDescriptors } from './descriptors.ts';

const limits = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units     
Max processes             95967                95967                processes 
Max open files            ${soft.padEnd(21)}${soft.padEnd(21)}files     
`;

it('names the limit that is too low, and what raises it', () => {
  expect(() => checkDescriptors(limits('256'))).toThrow(
    'this process may open 256 files, and bigtrace up needs 1024: raise the limit (ulimit -n 1024, ',
  );
});

it.each(['1024', '1048576', 'unlimited'])('is content with %s', (soft) => {
  expect(() => checkDescriptors(limits(soft))).not.toThrow();
});

it('reads the limits of this process', () => {
  expect(() => checkDescriptors()).not.toThrow();
});
