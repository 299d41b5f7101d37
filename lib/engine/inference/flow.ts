/**
 * Infers the kinds of cells that a program's rows may hold: it runs every operation on sets of kinds instead of
 * values, along every path through the program, until no set grows any more. Pure.
 */
import { kindsReturned } from './functions.ts';
import { ANY, arithmetic, BLOB, cast, INT, NULL, REAL, TEXT, withAffinity } from './kinds.ts';
import { jumps, type Op, successors } from './program.ts';

/** Programs that are longer, or need more bytes of state, are not analyzed. */
const OPS_MAX = 20_000;
const STATE_BYTES_MAX = 64 * 2 ** 20;

/** Returns the kinds of cells that a column of a virtual table may hold. */
export type VirtualColumn = (table: string, column: number) => number;

/**
 * @param virtualColumn receives the table as its VOpen operation names it
 * @returns the kinds of each result column, or undefined when they cannot be inferred
 */
export function resultKinds(
  program: readonly Op[],
  virtualColumn: VirtualColumn,
): number[] | undefined {
  if (program.length > OPS_MAX) return undefined;
  if (!program.every(({ opcode }) => opcode in STEPS)) return undefined;
  const flow = new Flow(program, virtualColumn);
  return flow.run();
}

/** The source of a cursor's cells. */
type Cursor = { record: number[] } | { register: number } | { virtual: string } | 'unknown';

class Flow {
  readonly #program: readonly Op[];
  readonly #virtualColumn: VirtualColumn;
  readonly #cursors = new Map<number, Cursor>();
  /** The kinds of the fields of all records made in a register. */
  readonly #records = new Map<number, number[]>();
  /** The kinds of the arguments of the aggregate that a register accumulates. */
  readonly #collected = new Map<number, number[]>();
  readonly #result: number[] = [];
  /** Whether the state outside the registers grew in this round. */
  #added = false;

  constructor(program: readonly Op[], virtualColumn: VirtualColumn) {
    this.#program = program;
    this.#virtualColumn = virtualColumn;
  }

  run(): number[] | undefined {
    const registers = registersOf(this.#program);
    if (registers * this.#program.length > STATE_BYTES_MAX) return undefined;
    const next = successors(this.#program);
    const before = this.#program.map(() => new Uint8Array(registers));
    const state = new Uint8Array(registers);
    do {
      this.#added = false;
      const reached = new Set([0]);
      const open = [0];
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        const op = this.#program[at];
        if (op === undefined) continue;
        state.set(before[at] as Uint8Array);
        STEPS[op.opcode]?.(op, state, this);
        for (const to of next[at] ?? []) {
          const grown = join(before[to], state);
          if (!grown && reached.has(to)) continue;
          reached.add(to);
          open.push(to);
        }
      }
    } while (this.#added);
    return this.#result;
  }

  emit(kinds: Iterable<number>): void {
    this.#add(this.#result, kinds);
  }

  open(cursor: number, source: Cursor): void {
    const kindsOfRegister = this.#cursors.get(cursor);
    if (kindsOfRegister === undefined) this.#cursors.set(cursor, source);
    else if (JSON.stringify(keyOf(kindsOfRegister)) !== JSON.stringify(keyOf(source)))
      this.#cursors.set(cursor, 'unknown');
    else return;
    this.#added = true;
  }

  duplicate(cursor: number, of: number): void {
    const source = this.#cursors.get(of);
    if (source !== undefined && this.#cursors.get(cursor) === undefined) {
      this.#cursors.set(cursor, source);
      this.#added = true;
    }
  }

  makeRecord(register: number, fields: Iterable<number>): void {
    const kindsOfRegister = this.#records.get(register) ?? [];
    this.#records.set(register, kindsOfRegister);
    this.#add(kindsOfRegister, fields);
  }

  insert(cursor: number, register: number): void {
    const source = this.#cursors.get(cursor);
    if (typeof source === 'object' && 'record' in source)
      this.#add(source.record, this.#records.get(register) ?? []);
  }

  /** Puts the record of a cursor into a register. */
  readRecord(cursor: number, register: number): void {
    const source = this.#cursors.get(cursor);
    if (typeof source !== 'object') return;
    if ('record' in source) this.makeRecord(register, source.record);
    else if ('register' in source)
      this.makeRecord(register, this.#records.get(source.register) ?? []);
  }

  column(cursor: number, column: number): number {
    const source = this.#cursors.get(cursor);
    if (source === undefined) return NULL;
    if (source === 'unknown') return ANY;
    if ('virtual' in source) return this.#virtualColumn(source.virtual, column) | NULL;
    const fields = 'record' in source ? source.record : this.#records.get(source.register);
    return (fields?.[column] ?? 0) | NULL;
  }

  collect(register: number, args: readonly number[]): void {
    const kindsOfRegister = this.#collected.get(register) ?? [];
    this.#collected.set(register, kindsOfRegister);
    this.#add(kindsOfRegister, args);
  }

  collected(register: number): readonly number[] {
    return this.#collected.get(register) ?? [];
  }

  #add(kindsOfRegister: number[], kinds: Iterable<number>): void {
    let at = 0;
    for (const more of kinds) {
      const all = (kindsOfRegister[at] ?? 0) | more;
      if (all !== kindsOfRegister[at]) this.#added = true;
      kindsOfRegister[at++] = all;
    }
  }
}

/** Returns what identifies a source. All ephemeral tables are equal, whatever they contain so far. */
function keyOf(source: Cursor): unknown {
  return typeof source === 'object' && 'record' in source ? 'record' : source;
}

function join(into: Uint8Array | undefined, from: Uint8Array): boolean {
  if (into === undefined) return false;
  let grown = false;
  for (let at = 0; at < from.length; at++) {
    const all = (into[at] as number) | (from[at] as number);
    if (all === into[at]) continue;
    into[at] = all;
    grown = true;
  }
  return grown;
}

/**
 * Returns an upper bound of the number of registers. Operands that are not registers only increase it; those that can be
 * any number (p1 of Integer, p2 of AddImm) are not counted.
 */
function registersOf(program: readonly Op[]): number {
  let most = 0;
  for (const op of program) {
    const { p1, p3 } = op;
    if (op.opcode === 'Integer') most = Math.max(most, op.p2);
    else if (op.opcode === 'AddImm') most = Math.max(most, p1);
    else if (jumps(op.opcode)) most = Math.max(most, p1 + 1, p3 + 1);
    else most = Math.max(most, p1 + op.p2, op.p2 + p3);
  }
  return most + 2;
}

type Step = (op: Op, state: Uint8Array, flow: Flow) => void;

const nothing: Step = () => undefined;
const at =
  (operand: 'p1' | 'p2' | 'p3', kinds: number): Step =>
  (op, state) => {
    state[op[operand]] = kinds;
  };
const compute: Step = ({ p1, p2, p3 }, state) => {
  state[p3] = arithmetic(state[p1] ?? ANY, state[p2] ?? ANY);
};
const nulls: Step = ({ p2, p3 }, state) => state.fill(NULL, p2, Math.max(p2, p3) + 1);
const openTable: Step = ({ p1 }, _state, flow) => flow.open(p1, { record: [] });
const openUnknown: Step = ({ p1 }, _state, flow) => flow.open(p1, 'unknown');
const insert: Step = ({ p1, p2 }, _state, flow) => flow.insert(p1, p2);

/** Parses `name(3)`. A negative count stands for any number of arguments, of which two are analyzed. */
function called(text: string): { name: string; count: number } {
  const [, name = '', count = '0'] = /^(.*)\((-?\d+)\)$/s.exec(text) ?? [];
  return { name: name.toLowerCase(), count: Number(count) < 0 ? 2 : Number(count) };
}

const callFunction: Step = ({ p2, p3, p4 }, state) => {
  const { name, count } = called(p4);
  state[p3] = kindsReturned(name, [...state.subarray(p2, p2 + count)]);
};
const aggregateStep: Step = ({ p2, p3, p4 }, state, flow) => {
  flow.collect(p3, [...state.subarray(p2, p2 + called(p4).count)]);
};
const aggregateValue: Step = ({ p1, p3, p4 }, state, flow) => {
  state[p3 > 0 ? p3 : p1] = kindsReturned(called(p4).name, flow.collected(p1));
};

const IGNORED = `
  Abortable Clear Close ColumnsUsed Compare CreateBtree CursorHint CursorLock CursorUnlock DecrJumpZero
  DeferredSeek Delete ElseEq EndCoroutine Eq Expire Explain FilterAdd Filter FinishSeek Found Ge Goto Gosub
  Gt Halt HaltIfNull IdxDelete IdxGE IdxGT IdxLE IdxLT If IfEmpty IfNoHope IfNot IfNotOpen IfNotZero IfPos
  IfSizeBetween Init InitCoroutine IsNull IsType Jump Last Le Lt Ne Next NoConflict Noop NotExists NotFound
  NotNull NullRow Once Permutation Prev ReleaseReg ResetSorter Return Rewind RowSetAdd RowSetTest SeekEnd
  SeekGE SeekGT SeekHit SeekLE SeekLT SeekRowid SeekScan Sort SorterCompare SorterNext SorterSort
  TableLock Trace Transaction TypeCheck VFilter VNext VerifyCookie Yield`;

/** The effect of each operation of SQLite 3.50 on the registers; a program with any other one is not analyzed. */
const STEPS: Record<string, Step> = {
  ...Object.fromEntries(
    IGNORED.trim()
      .split(/\s+/)
      .map((opcode) => [opcode, nothing]),
  ),
  Integer: at('p2', INT),
  Int64: at('p2', INT),
  Real: at('p2', REAL),
  String8: at('p2', TEXT),
  String: at('p2', TEXT),
  Blob: at('p2', BLOB),
  Variable: at('p2', ANY),
  Null: nulls,
  BeginSubrtn: nulls,
  SoftNull: at('p1', NULL),
  IntCopy: at('p2', INT),
  AddImm: at('p1', INT),
  MustBeInt: at('p1', INT),
  MemMax: nothing,
  OffsetLimit: at('p2', INT),
  Count: at('p2', INT),
  Sequence: at('p2', INT),
  NewRowid: at('p2', INT),
  Rowid: at('p2', INT | NULL),
  IdxRowid: at('p2', INT | NULL),
  RowSetRead: at('p3', INT),
  Offset: at('p3', INT | NULL),
  ReadCookie: at('p2', INT),
  GetSubtype: at('p2', INT | NULL),
  SetSubtype: nothing,
  ClrSubtype: nothing,
  Not: at('p2', INT | NULL),
  BitNot: at('p2', INT | NULL),
  IsTrue: at('p2', INT | NULL),
  ZeroOrNull: at('p2', INT | NULL),
  And: at('p3', INT | NULL),
  Or: at('p3', INT | NULL),
  BitAnd: at('p3', INT | NULL),
  BitOr: at('p3', INT | NULL),
  ShiftLeft: at('p3', INT | NULL),
  ShiftRight: at('p3', INT | NULL),
  Add: compute,
  Subtract: compute,
  Multiply: compute,
  Divide: (op, state, flow) => {
    compute(op, state, flow);
    state[op.p3] = (state[op.p3] ?? 0) | NULL;
  },
  Remainder: (op, state, flow) => {
    compute(op, state, flow);
    state[op.p3] = (state[op.p3] ?? 0) | NULL;
  },
  Concat: ({ p1, p2, p3 }, state) => {
    const both = (state[p1] ?? ANY) & (state[p2] ?? ANY);
    state[p3] = TEXT | NULL | (both & BLOB);
  },
  Move: ({ p1, p2, p3 }, state) => {
    const moved = state.slice(p1, p1 + p3);
    state.fill(NULL, p1, p1 + p3);
    state.set(moved, p2);
  },
  Copy: ({ p1, p2, p3 }, state) => state.copyWithin(p2, p1, p1 + p3 + 1),
  SCopy: ({ p1, p2 }, state) => state.copyWithin(p2, p1, p1 + 1),
  CollSeq: ({ p1 }, state) => {
    if (p1 > 0) state[p1] = INT;
  },
  IfNullRow: ({ p3 }, state) => {
    state[p3] = (state[p3] ?? 0) | NULL;
  },
  Cast: ({ p1, p2 }, state) => {
    state[p1] = cast(state[p1] ?? ANY, p2);
  },
  RealAffinity: ({ p1 }, state) => {
    state[p1] = withAffinity(state[p1] ?? ANY, 'E');
  },
  Affinity: ({ p1, p2, p4 }, state) => {
    for (let i = 0; i < p2; i++) state[p1 + i] = withAffinity(state[p1 + i] ?? ANY, p4[i] ?? '');
  },
  MakeRecord: ({ p1, p2, p3, p4 }, state, flow) => {
    const fields = [...state.subarray(p1, p1 + p2)];
    flow.makeRecord(
      p3,
      fields.map((kinds, i) => withAffinity(kinds, p4[i] ?? '')),
    );
    state[p3] = BLOB;
  },
  OpenEphemeral: openTable,
  OpenAutoindex: openTable,
  SorterOpen: openTable,
  OpenRead: openUnknown,
  OpenWrite: openUnknown,
  ReopenIdx: openUnknown,
  OpenPseudo: ({ p1, p2 }, _state, flow) => flow.open(p1, { register: p2 }),
  OpenDup: ({ p1, p2 }, _state, flow) => flow.duplicate(p1, p2),
  VOpen: ({ p1, p4 }, _state, flow) => flow.open(p1, { virtual: p4 }),
  Insert: insert,
  IdxInsert: insert,
  SorterInsert: insert,
  RowData: ({ p1, p2 }, state, flow) => {
    flow.readRecord(p1, p2);
    state[p2] = BLOB;
  },
  SorterData: ({ p1, p2 }, state, flow) => {
    flow.readRecord(p1, p2);
    state[p2] = BLOB;
  },
  Column: ({ p1, p2, p3 }, state, flow) => {
    state[p3] = flow.column(p1, p2);
  },
  VColumn: ({ p1, p2, p3 }, state, flow) => {
    state[p3] = flow.column(p1, p2);
  },
  VInitIn: ({ p2, p3 }, state) => {
    state[p2] = NULL;
    state.fill(ANY, p3, p3 + 2);
  },
  Function: callFunction,
  PureFunc: callFunction,
  AggStep: aggregateStep,
  AggStep1: aggregateStep,
  AggInverse: nothing,
  AggValue: aggregateValue,
  AggFinal: aggregateValue,
  ResultRow: ({ p1, p2 }, state, flow) => flow.emit(state.subarray(p1, p1 + p2)),
};
