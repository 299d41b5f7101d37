/** Programs of SQLite's virtual machine, as EXPLAIN lists them. */
import type { CellValue } from '../../query-result/index.ts';

export interface Op {
  opcode: string;
  p1: number;
  p2: number;
  p3: number;
  p4: string;
}

/** Converts rows of EXPLAIN, whose columns are addr, opcode, p1, p2, p3, p4, … */
export function programOf(rows: readonly (readonly CellValue[])[]): Op[] {
  return rows.map(([, opcode, p1, p2, p3, p4]) => ({
    opcode: String(opcode),
    p1: Number(p1),
    p2: Number(p2),
    p3: Number(p3),
    p4: typeof p4 === 'string' ? p4 : '',
  }));
}

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Operations that jump to p2 or continue with the next operation. */
const BRANCHES = new Set(
  words(`DecrJumpZero ElseEq Eq Filter Found Ge Gt IdxGE IdxGT IdxLE IdxLT If IfEmpty IfNoHope IfNot
    IfNotOpen IfNotZero IfNullRow IfPos IfSizeBetween IsNull IsType Last Le Lt MustBeInt Ne Next NoConflict
    NotExists NotFound NotNull Once Prev Rewind RowSetRead RowSetTest SeekGE SeekGT SeekLE SeekLT
    SeekRowid SeekScan Sort SorterCompare SorterNext SorterSort VFilter VNext`),
);

/** Whether p2 of such an operation is the address of an operation. */
export function jumps(opcode: string): boolean {
  return (
    BRANCHES.has(opcode) || /^(Goto|Gosub|Init|InitCoroutine|Yield|EndCoroutine)$/.test(opcode)
  );
}

/** Returns, for each operation, the addresses that may follow it: a superset when they are not known exactly. */
export function successors(program: readonly Op[]): number[][] {
  const behind = (is: (op: Op) => boolean): number[] =>
    program.flatMap((op, at) => (is(op) ? [at + 1] : []));
  /** Addresses at which a coroutine or its caller may resume. */
  const resumed = (register: number): number[] => [
    ...behind(({ opcode, p1 }) => opcode === 'Yield' && p1 === register),
    ...program.flatMap(({ opcode, p1, p2, p3 }) => {
      if (p1 !== register) return [];
      return opcode === 'InitCoroutine' ? [p3] : opcode === 'Yield' && p2 > 0 ? [p2] : [];
    }),
  ];
  const returned = new Map<number, number[]>();
  const resumes = new Map<number, number[]>();
  const once = (memo: Map<number, number[]>, key: number, make: () => number[]): number[] => {
    const cached = memo.get(key) ?? make();
    memo.set(key, cached);
    return cached;
  };
  return program.map(({ opcode, p1, p2, p3 }, at) => {
    switch (opcode) {
      case 'Halt':
        return [];
      case 'Init':
        return [p2 > 0 ? p2 : at + 1];
      case 'Goto':
      case 'Gosub':
        return [p2];
      case 'InitCoroutine':
        return [p2 > 0 ? p2 : at + 1];
      case 'Yield':
      case 'EndCoroutine':
        return once(resumes, p1, () => resumed(p1));
      case 'Return': {
        const called = (op: Op): boolean => op.opcode === 'Gosub' && op.p1 === p1;
        return [at + 1, ...once(returned, p1, () => behind(called))];
      }
      case 'Jump':
        return [p1, p2, p3];
      default:
        return BRANCHES.has(opcode) ? [p2, at + 1] : [at + 1];
    }
  });
}
