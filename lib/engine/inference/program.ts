/** A program of SQLite's virtual machine, as EXPLAIN lists it. */
import type { CellValue } from '../../query-result/index.ts';

export interface Op {
  opcode: string;
  p1: number;
  p2: number;
  p3: number;
  p4: string;
}

/** Rows of EXPLAIN: addr, opcode, p1, p2, p3, p4, … */
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

/** They go to p2, or on. */
const BRANCHES = new Set(
  words(`DecrJumpZero ElseEq Eq Filter Found Ge Gt IdxGE IdxGT IdxLE IdxLT If IfEmpty IfNoHope IfNot
    IfNotOpen IfNotZero IfNullRow IfPos IfSizeBetween IsNull IsType Last Le Lt MustBeInt Ne Next NoConflict
    NotExists NotFound NotNull Once Prev Rewind RowSetRead RowSetTest SeekGE SeekGT SeekLE SeekLT
    SeekRowid SeekScan Sort SorterCompare SorterNext SorterSort VFilter VNext`),
);

/** Whether p2 of such an operation is another operation. */
export function jumps(opcode: string): boolean {
  return (
    BRANCHES.has(opcode) || /^(Goto|Gosub|Init|InitCoroutine|Yield|EndCoroutine)$/.test(opcode)
  );
}

/** For each operation those that may run next; more than those that do, where that is not known. */
export function successors(program: readonly Op[]): number[][] {
  const behind = (is: (op: Op) => boolean): number[] =>
    program.flatMap((op, at) => (is(op) ? [at + 1] : []));
  /** Where a coroutine or its caller may go on. */
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
    const known = memo.get(key) ?? make();
    memo.set(key, known);
    return known;
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
