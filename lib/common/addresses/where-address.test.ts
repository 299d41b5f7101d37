import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';
import { expressionsOf, whereAddress } from './where-address.ts';

test('expressionsOf returns the expressions from which whereAddress made an address', () => {
  const expression = fc.string({ unit: 'binary' }).filter((text) => text !== '' && text[0] !== '/');
  fc.assert(
    fc.property(fc.array(expression, { minLength: 1 }), (expressions) => {
      expect(expressionsOf(parseAddress(whereAddress(expressions)).path)).toEqual(expressions);
    }),
  );
});

test.each(['/', '/[]', '/{"a":1}', '/["a", 1]', '/size > 0'])(
  '%s is not a list of expressions',
  (path) => {
    expect(() => expressionsOf(path)).toThrow(
      'behind /where// a JSON array of expressions must follow',
    );
  },
);
