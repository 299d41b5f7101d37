/** Tests of tools/checks/audit.mjs with the kinds of npm responses that it must distinguish. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bigtrace-audit-'));
  const npm = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  const script = `#!/bin/sh\n[ "$1" = audit ] && exec cat "$REPORT"\nexec ${npm} "$@"\n`;
  writeFileSync(join(directory, 'npm'), script);
  chmodSync(join(directory, 'npm'), 0o755);
});
afterAll(() => rmSync(directory, { recursive: true }));

function audit(report: object): { code: number | null; logged: string } {
  const file = join(directory, 'report.json');
  writeFileSync(file, JSON.stringify(report));
  const env = { ...process.env, PATH: `${directory}:${process.env['PATH']}`, REPORT: file };
  const args = [join(ROOT, 'tools/checks/audit.mjs')];
  const { status, stdout } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  return { code: status, logged: stdout };
}

const finding = (severity: string) => ({ a: { name: 'a', range: '<2', severity } });

test('a moderate finding passes, and the list of packages is complete', () => {
  const { code, logged } = audit({ vulnerabilities: finding('moderate') });
  expect(logged).toMatch(
    /^audit: 0 findings of high or critical\nsbom: [1-9]\d+ packages, 0 missing/,
  );
  expect(code).toBe(0);
});

test('a high finding fails the audit and is named', () => {
  const { code, logged } = audit({ vulnerabilities: finding('high') });
  expect(logged).toContain('1 findings of high or critical\n  high: a <2\n');
  expect(code).toBe(1);
});

test('a registry without an audit endpoint is reported but does not fail the audit', () => {
  const { code, logged } = audit({ statusCode: 405, message: '405 Method Not Allowed' });
  expect(logged).toContain('this registry could not be asked: 405 Method Not Allowed');
  expect(code).toBe(0);
});

test('any other error of npm fails the audit', () => {
  expect(audit({ message: 'getaddrinfo ENOTFOUND' })).toMatchObject({
    code: 1,
    logged: expect.stringContaining('npm audit failed: {"message":"getaddrinfo ENOTFOUND"}'),
  });
});
