/** Tests containers/release.sh: what buildx would build, and that what it pushed is signed. Nothing is built or pushed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { VERSION } from '../../../lib/common/version.ts';

const IMAGES = 'registry.example:5000/bigtrace';
const directory = mkdtempSync(join(tmpdir(), 'bigtrace-release-'));
afterAll(() => rmSync(directory, { recursive: true }));

function release(env: Record<string, string>, ...args: string[]): string {
  return execFileSync(join(ROOT, 'containers/release.sh'), args, {
    encoding: 'utf8',
    env: { ...process.env, BIGTRACE_IMAGES: IMAGES, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

test('buildx builds every image for amd64 and arm64, with an SBOM and provenance', () => {
  const { target } = JSON.parse(release({}, '--print')) as {
    target: Record<string, { attest: unknown[]; platforms: string[]; tags: string[] }>;
  };
  const names = ['clickhouse', 'http-api', 'orchestrator', 'superset', 'worker'];
  expect(Object.keys(target).toSorted()).toEqual(names);
  for (const name of names) {
    const { attest, platforms, tags } = target[name] ?? { attest: [], platforms: [], tags: [] };
    expect(platforms.join(',')).toBe('linux/amd64,linux/arm64');
    expect(tags).toEqual([`${IMAGES}/${name}:${VERSION}`]);
    for (const wanted of ['sbom', 'provenance', 'max'])
      expect(JSON.stringify(attest)).toContain(wanted); // newer versions of buildx print objects
  }
});

/** Puts a program on the PATH that adds its arguments to a file. */
function program(name: string, script: string): void {
  writeFileSync(
    join(directory, name),
    `#!/bin/sh\necho ${name} "$@" >>${directory}/calls\n${script}`,
    {
      mode: 0o755,
    },
  );
}

test('the digests of what was pushed are signed if a key is given', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const pushed = {
    worker: { 'containerimage.digest': digest, 'image.name': `${IMAGES}/worker:${VERSION}` },
    'buildx.build.warnings': [],
  };
  program(
    'docker',
    `while [ "$1" != --metadata-file ]; do shift; done\necho '${JSON.stringify(pushed)}' >"$2"\n`,
  );
  program('cosign', '');
  const PATH = `${directory}:${process.env['PATH']}`;
  const image = `${IMAGES}/worker@${digest}`;
  expect(release({ PATH })).toBe(`${image}\n`);
  expect(release({ PATH, COSIGN_KEY: 'a.key' })).toBe(`${image}\n`);
  const calls = readFileSync(join(directory, 'calls'), 'utf8').trimEnd().split('\n');
  expect(calls.map((one) => one.split(' ')[0])).toEqual(['docker', 'docker', 'cosign']);
  expect(calls.at(-1)).toBe(`cosign sign --yes --key a.key ${image}`);
});

test.each(['', '{}'])('a release that names no image to sign fails: %j', (metadata) => {
  program(
    'docker',
    `while [ "$1" != --metadata-file ]; do shift; done\necho '${metadata}' >"$2"\n`,
  );
  program('cosign', '');
  const PATH = `${directory}:${process.env['PATH']}`;
  expect(() => release({ PATH, COSIGN_KEY: 'a.key' })).toThrow('Command failed');
});
