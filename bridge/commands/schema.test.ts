import { once } from 'node:events';
import { expect, test } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import { CellType } from '../../lib/query-result/index.ts';
import { lengthAndBytes } from '../native/encoding.ts';
import { bridgeTests, schemaRow } from '../testing.ts';

const SCHEMA = ['schema', '--format', 'RowBinary'];

const { start, run } = bridgeTests();

function responses(...structures: string[]): Buffer {
  return Buffer.concat(structures.map((text) => lengthAndBytes(Buffer.from(text))));
}

test('schema returns a structure for each request, and keeps running', async () => {
  const { address: orchestrator } = await start({
    schema: async ({ sql, address, onFailure }) => {
      expect(onFailure).toBe('LENIENT');
      expect(address.map(String)).toEqual(['/local/a', '/local/b']);
      const column = [
        { name: Buffer.from('a'), cellKinds: 1 << CellType.VARINT },
        { name: Buffer.from('a'), cellKinds: (1 << CellType.VARINT) | (1 << CellType.FLOAT64) },
        { name: sql, cellKinds: 1 << CellType.NULL },
      ];
      return { column, tracesSampled: 1 };
    },
  });
  const bridge = run(SCHEMA, { orchestrator });
  for (const sql of ['x', '`']) {
    bridge.child.stdin?.write(schemaRow(['/local/a', '/local/b'], sql, ['lenient', 'find']));
    await once(bridge.child.stdout ?? process.stdin, 'data');
  }
  bridge.child.stdin?.end();
  expect(await bridge.ended).toBe(0);
  const common =
    '`_hb` UInt8 NOT NULL, `_trace_address` String NOT NULL, `a` Nullable(Int64), `a_1` Nullable(Float64), ';
  expect(bridge.stdout()).toEqual(
    responses(`${common}\`x\` Nullable(BIGINT)`, `${common}\`\\\`\` Nullable(BIGINT)`),
  );
});

test('schema writes an error to stderr and an empty row, and keeps running', async () => {
  const { address: orchestrator } = await start({
    schema: async ({ sql }) => {
      if (sql.toString() === 'good') return { column: [], tracesSampled: 1 };
      throw new BigtraceError('no_match', 'no trace matches /local/x*');
    },
  });
  const bridge = run(SCHEMA, { orchestrator });
  for (const sql of ['bad', 'good']) {
    bridge.child.stdin?.write(schemaRow(['/local/x*'], sql, ['strict', 'find']));
    await once(bridge.child.stdout ?? process.stdin, 'data');
  }
  expect(bridge.stderr()).toBe('no trace matches /local/x* (no_match)');
  expect(bridge.stdout()).toEqual(
    responses('', '`_hb` UInt8 NOT NULL, `_trace_address` String NOT NULL'),
  );
  bridge.child.stdin?.end();
  expect(await bridge.ended).toBe(0);
});

test('schema reaches an orchestrator that has restarted with its first request', async () => {
  const holder = await start({});
  const [, port] = holder.address.split(':');
  holder.server.forceShutdown();
  const bridge = run(SCHEMA, { orchestrator: holder.address });
  const findColumns = async () => {
    bridge.child.stdin?.write(schemaRow(['/local/a'], 'x', ['strict', 'again']));
    await once(bridge.child.stdout ?? process.stdin, 'data');
  };
  await findColumns();
  expect(bridge.stderr()).toContain('(BIGTRACE_ORCHESTRATOR), or the connection broke: ');
  await start({ schema: async () => ({ column: [], tracesSampled: 1 }) }, Number(port));
  await findColumns();
  expect(bridge.stdout().toString()).toContain('`_hb` UInt8');
});
