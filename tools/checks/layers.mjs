/**
 * Checks which room may import which. A file belongs to the room with the longest path that contains it, and may
 * import from its own room. `types of ROOM` allows only `import type`. Tests and their helpers may also import from
 * `tools` and `test`.
 */
import { dirname, normalize } from 'node:path/posix';

const EVERY_ROOM = 'every room';

export const MAY_IMPORT = {
  'lib/proto': [],
  'lib/common': ['lib/proto'],
  'lib/query-result': ['lib/common'],
  'lib/engine': ['lib/common', 'lib/query-result'],
  'lib/trace-store': ['lib/common'],
  'lib/client': ['lib/proto', 'lib/common'],
  'lib/clickhouse': ['lib/common'],
  worker: ['lib/proto', 'lib/common', 'lib/query-result', 'lib/engine', 'lib/trace-store'],
  orchestrator: ['lib/proto', 'lib/common', 'lib/query-result', 'lib/clickhouse', 'lib/client'],
  bridge: ['lib/proto', 'lib/common', 'lib/query-result'],
  clickhouse: ['lib/common', 'lib/clickhouse'],
  'http-api': ['lib/proto', 'lib/common', 'lib/clickhouse', 'lib/client'],
  console: ['types of http-api'],
  mcp: ['lib/common', 'lib/clickhouse', 'lib/client', 'http-api'],
  catalog: [
    'lib/proto',
    'lib/common',
    'lib/clickhouse',
    'lib/query-result',
    'lib/trace-store',
    'lib/client',
  ],
  cli: EVERY_ROOM,
  containers: [],
  tools: ['clickhouse', 'lib/proto'],
  test: EVERY_ROOM,
  bench: EVERY_ROOM,
};

const TEST_CODE = /[.-]test\.ts$|(^|\/)testing(\/|\.ts$)|\/test-[\w-]+\.ts$/;
const FOR_TEST_CODE = ['tools', 'test'];

const IMPORTS =
  /^\s*(?:import|export)\b( type\b)?[^'";]*?\bfrom\s+'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'/gm;

/**
 * Returns a complaint for each forbidden import of a file.
 * @param text the contents of the file
 */
export function importComplaints(path, text) {
  if (!path.includes('/') || !/\.(ts|mjs)$/.test(path)) return [];
  const room = roomOf(path);
  if (room === undefined) return [`${path}: it is in no room of tools/checks/layers.mjs`];
  return importsOf(text)
    .map(({ specifier, ofTypes }) => ({
      target: roomOf(normalize(`${dirname(path)}/${specifier}`)),
      ofTypes,
    }))
    .filter(
      ({ target, ofTypes }) => target !== undefined && !mayImport(path, room, target, ofTypes),
    )
    .map(({ target }) => `${path}: ${room} may not import ${target} (tools/checks/layers.mjs)`);
}

function mayImport(path, room, target, ofTypes) {
  const allowed = MAY_IMPORT[room];
  return (
    target === room ||
    allowed === EVERY_ROOM ||
    allowed.includes(target) ||
    (ofTypes && allowed.includes(`types of ${target}`)) ||
    (TEST_CODE.test(path) && FOR_TEST_CODE.includes(target))
  );
}

function roomOf(path) {
  return Object.keys(MAY_IMPORT)
    .filter((room) => path.startsWith(`${room}/`))
    .reduce((longest, room) => (room.length > (longest?.length ?? 0) ? room : longest), undefined);
}

function importsOf(text) {
  return [...text.matchAll(IMPORTS)].map(([, type, from, called]) => ({
    specifier: from ?? called,
    ofTypes: type !== undefined,
  }));
}
