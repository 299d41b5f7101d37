/** `bigtrace engine` with the bundled engine as the one to install, from a directory and from a local mirror. */
import { execFile } from 'node:child_process';
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { ROOT } from '../../lib/common/root.ts';
import { fetchEngine } from '../../tools/build/fetch-engine.mjs';

await fetchEngine();
const BUNDLED = join(ROOT, 'vendor/trace-processor');
const scratch = mkdtempSync(join(tmpdir(), 'bigtrace-engine-'));
const dataDir = join(scratch, 'data');
const traces = join(scratch, 'traces');
mkdirSync(traces);
writeFileSync(join(traces, 'a.json'), '[{"ph":"X","ts":1,"dur":5,"pid":1,"tid":1,"name":"a"}]');

const VERSION = 'v55.3-0123456789';
const requested: string[] = [];
const mirror = createServer((request, response) => {
  const path = request.url ?? '';
  requested.push(path);
  if (path === '/index.html') {
    response.end(
      `<body data-perfetto_version='{"stable":"${VERSION}","canary":"v60.1-abcdef012"}'>`,
    );
    return;
  }
  const name = path.startsWith(`/${VERSION}/`) ? path.slice(VERSION.length + 2) : 'none';
  const file = join(BUNDLED, name === 'LICENSE' ? 'none' : name);
  if (existsSync(file)) {
    // As simple servers do, it closes the connection after the file.
    response.writeHead(200, { 'content-length': statSync(file).size, connection: 'close' });
    createReadStream(file).pipe(response);
  } else response.writeHead(404).end();
});
await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve));
const mirrorUrl = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
afterAll(() => {
  mirror.close();
  rmSync(scratch, { recursive: true });
});

interface Outcome {
  stdout: string;
  stderr: string;
  code: number;
}

async function engine(...args: string[]): Promise<Outcome> {
  const program = [join(ROOT, 'cli/bigtrace.mjs'), 'engine', ...args, '--data-dir', dataDir];
  try {
    return { ...(await promisify(execFile)(process.execPath, program)), code: 0 };
  } catch (thrown) {
    return thrown as Outcome;
  }
}

const names = async (): Promise<unknown> =>
  (JSON.parse((await engine('list')).stdout) as { name: string; inUse: boolean }[]).map((each) => [
    each.name,
    each.inUse,
  ]);

test('an engine is installed from a mirror, used, and removed', async () => {
  expect((await engine('add', 'v99', '--mirror', mirrorUrl)).stderr).toContain(
    `/index.html names no version v99; it names ${VERSION}, v60.1-abcdef012; give one of them, or another one whole (vX.Y-commit, with six or more digits of the commit)`,
  );
  const added = await engine('add', 'v55', '--mirror', mirrorUrl, '--name', 'mine');
  expect(added.stderr).toContain('its digests were unknown; they are recorded');
  expect(added.stdout).toMatch(
    /^Engine mine \(Perfetto v55\.3.*\) is installed; `bigtrace engine use mine`/,
  );
  expect(requested).toContain(`/${VERSION}/trace_processor_memory64.wasm`);
  expect(readdirSync(join(dataDir, 'engines', 'mine')).toSorted()).toEqual([
    'LICENSE',
    'engine.json',
    'trace_processor.wasm',
  ]);
  expect(await names()).toEqual([
    ['bundled', true],
    ['mine', false],
  ]);
  expect((await engine('use', 'mine')).stdout).toBe(
    'Engine mine is in use. Services use it from their next start on.\n',
  );
  expect(await names()).toEqual([
    ['bundled', false],
    ['mine', true],
  ]);
  expect((await engine('remove', 'mine')).stderr).toContain('engine mine is in use');
  expect((await engine('add', BUNDLED, '--name', 'mine')).stderr).toContain(
    'there is an engine mine',
  );
  await engine('use', 'bundled');
  expect((await engine('remove', 'mine')).stdout).toBe('Engine mine is removed.\n');
  expect(await names()).toEqual([['bundled', true]]);
});

test('a version whose files have changed is refused', async () => {
  const changed = join(scratch, 'changed');
  cpSync(BUNDLED, changed, { recursive: true });
  // An empty custom section: the engine is the same, its digest is not.
  writeFileSync(join(changed, 'trace_processor.wasm'), Buffer.of(0, 2, 1, 0x63), { flag: 'a' });
  const first = await engine('add', BUNDLED);
  expect(first.code).toBe(0);
  const second = await engine('add', changed, '--name', 'other');
  expect(second.stderr).toMatch(
    /trace_processor\.wasm of v55\.3.* has the SHA-256 .*, but .*lock\.json says/,
  );
  expect(readdirSync(join(dataDir, 'engines')).filter((name) => name.startsWith('.new-'))).toEqual(
    [],
  );
});

test('check runs the same queries in two engines', async () => {
  const { stdout, stderr } = await engine('check', BUNDLED, 'bundled', '--traces', traces);
  expect(stderr).toMatch(/^trace 1 of 1: /m);
  expect(stdout).toMatch(/^Perfetto v55\.3.* and Perfetto v55\.3.*: 25 results, 0 differ\n$/);
});

test.each([
  ['add', '/nowhere', 'it is no directory with trace_processor.wasm'],
  ['add', 'http://127.0.0.1:1/v1', 'cannot be downloaded'],
  ['use', 'none', 'there is no'],
  ['remove', 'bundled', 'there is no installed engine bundled'],
])('engine %s %s fails: %s', async (command, name, message) => {
  const { stderr, code } = await engine(command, name);
  expect(stderr).toContain(message);
  expect(code).not.toBe(0);
});
