import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../lib/common/root.ts';

/** Runs a main module that waits for `work`, as main.ts does. */
async function outcome(work: string): Promise<{ status: number | null; stderr: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-exit-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  await build({
    stdin: {
      contents: `import { reportEarlyEnd } from './exit.ts';
        const ended = reportEarlyEnd();
        await ${work};
        ended();`,
      resolveDir: import.meta.dirname,
    },
    outfile: join(directory, 'main.mjs'),
    ...{ bundle: true, platform: 'node', format: 'esm' },
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire("/");',
    },
  });
  const entry = join(directory, 'entry.mjs'); // as bigtrace.mjs
  writeFileSync(entry, "await import('./main.mjs');");
  const { status, stderr } = spawnSync(process.execPath, [entry], { encoding: 'utf8' });
  return { status, stderr };
}

test('a command that waits for something that never happens says that it stopped', async () => {
  const { status, stderr } = await outcome('new Promise(() => {})');
  expect(status).toBe(1);
  expect(stderr).toContain(
    'bigtrace: the command stopped halfway: nothing was left that it could wait for\n',
  );
});

test('a command that ends says nothing', async () => {
  expect(await outcome('Promise.resolve()')).toEqual({ status: 0, stderr: '' });
  expect(await outcome('process.exit(3)')).toEqual({ status: 3, stderr: '' });
});

test('a usage error names the command as it is typed', () => {
  const args = [join(ROOT, 'cli/bigtrace.mjs'), 'clickhouse', 'install', '--nope'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const usage = '(bigtrace clickhouse install --help shows the usage)';
  expect([status, stderr.trim().split('\n').at(-1)]).toEqual([2, usage]);
});
