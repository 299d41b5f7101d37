import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeBinary } from '../../test/harness/clickhouse-binary/install.ts';
import { chooseClickHouse } from './choice.ts';
import { versionOf } from './version.ts';

const platform = `${process.platform} ${process.arch}`;

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-choice-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('the embedded engine, if its package is installed, whatever is on the PATH', async () => {
  const directory = temporary();
  writeBinary(directory, '26.8.1.1');
  const choice = await chooseClickHouse({
    named: undefined,
    library: '/packages/libchdb.so',
    path: directory,
  });
  expect(choice).toEqual({
    binary: undefined,
    reason: 'ClickHouse: the embedded engine, because its package is installed',
  });
});

test('the binary that is named, although the package is installed', async () => {
  const path = writeBinary(temporary(), '26.8.1.1');
  const choice = await chooseClickHouse({ named: path, library: '/libchdb.so', path: '' });
  expect(choice).toEqual({
    binary: { path, version: '26.8.1.1' },
    reason: `ClickHouse: ${path}, version 26.8.1.1, because --clickhouse-binary names it`,
  });
});

test('the first program clickhouse of the PATH, if the package is not installed', async () => {
  const [first, second] = [temporary(), temporary()];
  mkdirSync(join(first, 'clickhouse')); // a directory is no program
  const path = writeBinary(second, '27.1.2.3');
  const choice = await chooseClickHouse({
    named: undefined,
    library: undefined,
    path: `:/missing:${first}:${second}:/usr/bin`,
  });
  expect(choice).toEqual({
    binary: { path, version: '27.1.2.3' },
    reason: `ClickHouse: ${path}, version 27.1.2.3, from the PATH, because there is no embedded ClickHouse for ${platform}`,
  });
});

test('none, if there is neither: the error names the remedies', async () => {
  await expect(
    chooseClickHouse({ named: undefined, library: undefined, path: '/missing' }),
  ).rejects.toThrow(
    `there is no embedded ClickHouse for ${platform}, and no clickhouse on the PATH: install it ` +
      '(curl https://clickhouse.com/ | sh, or brew install clickhouse), name one with --clickhouse-binary PATH, ' +
      'or use your own server with --clickhouse URL',
  );
});

test.each([
  ['26.3.9.1', 'is ClickHouse 26.3.9.1, but bigtrace up needs 26.4 or later'],
  ['18.16.1', 'is ClickHouse 18.16.1, but bigtrace up needs 26.4 or later'],
  ['unknown', 'server --version prints no version of ClickHouse: '],
])('a binary of version %s is refused', async (version, message) => {
  const path = writeBinary(temporary(), version);
  await expect(chooseClickHouse({ named: path, library: undefined, path: '' })).rejects.toThrow(
    `${path} ${message}`,
  );
});

test.each([
  ['missing', undefined, 'cannot be run (ENOENT)'],
  ['a text', { mode: 0o600 }, 'cannot be run (EACCES)'],
  ['a text that may be executed', { mode: 0o700 }, 'failed: '],
])('a file that is no program is refused: %s', async (name, options, reason) => {
  const path = join(temporary(), name);
  if (options !== undefined) writeFileSync(path, 'no-program-of-this-name\n', options);
  const refusal = chooseClickHouse({ named: path, library: undefined, path: '' });
  await expect(refusal).rejects.toThrow(`${path} server --version ${reason}`);
  await expect(refusal).rejects.toThrow('; it must be a clickhouse program of this platform');
});

test('a program that does not end is refused, even if it ignores the request to end', async () => {
  const path = join(temporary(), 'endless');
  writeFileSync(path, "#!/bin/bash\ntrap '' TERM\nwhile :; do read -t 1 < /dev/zero; done\n", {
    mode: 0o700,
  });
  await expect(versionOf(path, 500)).rejects.toThrow(
    `${path} server --version did not end within 0.5 s`,
  );
});
