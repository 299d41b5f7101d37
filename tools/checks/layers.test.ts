/** Tests of the check of imports between rooms. */
import { expect, test } from 'vitest';
import { importComplaints } from './layers.mjs';

/** Returns the path in quotes; written this way, the check does not take it for an import of this file. */
const quoted = (path: string): string => `'${path}'`;

test('the check reports each forbidden import of values or types, including import()', () => {
  const text = `
import { one } from ${quoted('../worker/thread.ts')};
import type { Two } from ${quoted('../http-api/wire.ts')};
import {
  three,
} from ${quoted('../../elsewhere/three.ts')};
export { four } from ${quoted('../bridge/cells.ts')};
const { five } = await import(${quoted('../clickhouse/launch.ts')});
import { six } from ${quoted('../common/errors.ts')};
import seven from 'worker/seven';
`;
  expect(importComplaints('orchestrator/start.ts', text)).toEqual(
    ['worker', 'http-api', 'bridge', 'clickhouse'].map(
      (room) =>
        `orchestrator/start.ts: orchestrator may not import ${room} (tools/checks/layers.mjs)`,
    ),
  );
});

test('`types of ROOM` allows only type imports', () => {
  const from = `from ${quoted('../http-api/wire.ts')};\n`;
  expect(importComplaints('console/api.ts', `import type { A } ${from}`)).toEqual([]);
  expect(importComplaints('console/api.ts', `import { a } ${from}`)).toHaveLength(1);
});

test('only tests and their helpers may import from test and tools', () => {
  const text = `import { CORPUS } from ${quoted('../test/corpus/index.ts')};\n`;
  expect(importComplaints('worker/grpc/run.test.ts', text)).toEqual([]);
  expect(importComplaints('worker/testing/worker.ts', text)).toEqual([]);
  expect(importComplaints('worker/run.ts', text)).toHaveLength(1);
});

test('the check reports a file that is in no room', () => {
  expect(importComplaints('attic/old.ts', '')).toEqual([
    'attic/old.ts: it is in no room of tools/checks/layers.mjs',
  ]);
  expect(importComplaints('vitest.config.ts', "import { x } from './worker/x.ts';")).toEqual([]);
});
