import { expect, test } from 'vitest';
import { resultKinds } from './flow.ts';
import { INT, TEXT } from './kinds.ts';
import type { Op } from './program.ts';

function op(opcode: string, p1 = 0, p2 = 0, p3 = 0, p4 = ''): Op {
  return { opcode, p1, p2, p3, p4 };
}

const noTable = (): number => 0;

test('constant operands do not count as registers', () => {
  const program = [
    op('Integer', 2 ** 31 - 1, 1),
    op('AddImm', 1, 2 ** 31 - 1),
    op('String8', 0, 2, 0, 'a'),
    op('ResultRow', 1, 2),
    op('Halt'),
  ];
  expect(resultKinds(program, noTable)).toEqual([INT, TEXT]);
});
