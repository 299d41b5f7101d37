/** Tests `bigtrace up` and `bigtrace query` from the tarball of `npm pack`, installed into an empty prefix. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { VERSION } from '../../../lib/common/version.ts';
import { startSystem } from '../../harness/system.ts';

it('the packed program installs and runs without a checkout', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'bigtrace-packed-'));
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  const npm = (...args: string[]): string =>
    execFileSync('npm', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  npm('pack', '--silent', '--pack-destination', scratch);
  const tarball = join(scratch, `bigtrace-${VERSION}.tgz`);
  const prefix = join(scratch, 'prefix');
  npm('install', '--global', '--prefix', prefix, '--prefer-offline', '--ignore-scripts', tarball);

  const program = join(prefix, 'bin/bigtrace');
  const installed = realpathSync(join(prefix, 'lib/node_modules/bigtrace'));
  expect(installed.startsWith(realpathSync(prefix))).toBe(true);
  expect(existsSync(join(installed, 'tools'))).toBe(false);
  expect(existsSync(join(installed, 'npm-shrinkwrap.json'))).toBe(true); // pins all dependencies
  const run = (...args: string[]): string =>
    execFileSync(program, args, { cwd: scratch, encoding: 'utf8' });
  expect(run('--version')).toBe(`${VERSION}\n`);

  await using system = await startSystem({ program });
  const script = 'SELECT count(*) AS n FROM sched';
  const query = ['--traces', '/local/linux/gzip-cpu.pftrace', '--sql', script, '--format', 'csv'];
  expect(run('query', '--orchestrator', system.orchestrator, ...query)).toBe(
    '_trace_address,n\n/local/linux/gzip-cpu.pftrace,2547\n',
  );
  expect(
    await system.sql(`SELECT n FROM bigtrace(traces=['/local/linux/gzip*'], sql='${script}')`),
  ).toBe('2547\n');
});
