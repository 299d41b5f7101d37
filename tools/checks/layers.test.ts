/** The check of who imports whom. */
import { expect, test } from 'vitest';
import { importComplaints } from './layers.mjs';

/** In quotes that the check of this file does not see. */
const quoted = (path: string): string => `'${path}'`;

test('an import of a room that the room may not import is named, be it of values, types or a call', () => {
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
    ['worker', 'bridge', 'clickhouse'].map(
      (room) =>
        `orchestrator/start.ts: orchestrator may not import ${room} (tools/checks/layers.mjs)`,
    ),
  );
});

test('a room whose types another may import gives it nothing else', () => {
  const from = `from ${quoted('../http-api/wire.ts')};\n`;
  expect(importComplaints('console/api.ts', `import type { A } ${from}`)).toEqual([]);
  expect(importComplaints('console/api.ts', `import { a } ${from}`)).toHaveLength(1);
});

test('tests, and what they share, may import tools and the corpus; other files may not', () => {
  const text = `import { CORPUS } from ${quoted('../test/corpus/index.ts')};\n`;
  expect(importComplaints('worker/grpc/run.test.ts', text)).toEqual([]);
  expect(importComplaints('worker/testing/worker.ts', text)).toEqual([]);
  expect(importComplaints('worker/run.ts', text)).toHaveLength(1);
});

test('a file that is in no room is named', () => {
  expect(importComplaints('attic/old.ts', '')).toEqual([
    'attic/old.ts: it is in no room of tools/checks/layers.mjs',
  ]);
  expect(importComplaints('vitest.config.ts', "import { x } from './worker/x.ts';")).toEqual([]);
});
