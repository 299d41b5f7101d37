/**
 * The images for arm64 that buildx makes of containers/Dockerfile on this machine. Base images are stand-ins from a registry
 * on loopback; QEMU emulates the processor where a container runs, and nothing else.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../lib/common/root.ts';
import { serveImages } from './registry.ts';

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 2 ** 26;
const BIN = join(ROOT, 'dist/bigtrace.js');
const NAME = `bigtrace-arm64-${process.pid}`;
const directory = mkdtempSync(join(tmpdir(), 'bigtrace-arm64-'));
const binfmt = join(directory, 'binfmt');
const undo: (() => unknown)[] = [];

const print = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: ROOT, encoding: 'utf8' }).trim();

/** Lets the kernel run programs for arm64 by QEMU, also in containers, until the tests end. */
function emulate(qemu: string): void {
  const magic = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
  const mask = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
  print('mkdir', binfmt);
  print('mount', '-t', 'binfmt_misc', 'binfmt_misc', binfmt);
  undo.push(() => print('umount', binfmt));
  writeFileSync(join(binfmt, 'register'), `:${NAME}:M::${magic}:${mask}:${qemu}:F`);
  undo.push(() => writeFileSync(join(binfmt, NAME), '-1'));
}

/** Returns the layers and the configuration of an image that Docker has, in files. */
function savedImage(image: string): { layers: string[]; config: object } {
  const to = join(directory, 'saved');
  const file = join(directory, 'saved.tar');
  print('mkdir', to);
  print('docker', 'save', '--output', file, image);
  print('tar', '--extract', '--file', file, '--directory', to);
  rmSync(file);
  const read = (name: string): string => readFileSync(join(to, name), 'utf8');
  const [about] = JSON.parse(read('manifest.json')) as [{ Config: string; Layers: string[] }];
  const { config } = JSON.parse(read(about.Config)) as { config: object };
  return { layers: about.Layers.map((layer) => join(to, layer)), config };
}

/** Builds an image for arm64, with the tag `NAME/TARGET`; returns what buildx told. */
async function build(registry: string, target: string, ...flags: string[]): Promise<string> {
  const images = ['NODE', 'DEBIAN', 'CLICKHOUSE'].flatMap((name) => [
    '--build-arg',
    `${name}_IMAGE=${registry}/${name === 'NODE' ? 'node' : 'debian'}`,
  ]);
  const what = [
    '--file',
    'containers/Dockerfile',
    '--target',
    target,
    '--tag',
    `${NAME}/${target}`,
  ];
  const args = ['buildx', 'build', '--platform', 'linux/arm64', '--progress', 'plain', '--load'];
  const { stderr } = await run('docker', [...args, ...what, ...images, ...flags, '.'], {
    cwd: ROOT,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  undo.push(() => print('docker', 'image', 'rm', '--force', `${NAME}/${target}`));
  return stderr;
}

const architecture = (target: string): string =>
  print('docker', 'image', 'inspect', '--format', '{{.Architecture}}', `${NAME}/${target}`);

/** Runs a command in an image; a container has the network of this machine. */
const inImage = (target: string, ...command: string[]): string => {
  const args = ['run', '--rm', '--platform', 'linux/arm64', '--network', 'host', '--entrypoint'];
  const [program = '', ...rest] = command;
  return print('docker', ...args, program, `${NAME}/${target}`, ...rest);
};

let registry: Awaited<ReturnType<typeof serveImages>>;

beforeAll(async () => {
  print('containers/stand-ins/docker.sh');
  print('containers/stand-ins/base-images.sh', '--without-superset');
  const layers = print('test/arm64/base-images.sh');
  emulate(join(print('test/arm64/node.sh'), '../usr/bin/qemu-aarch64-static'));
  const [, node = ''] =
    /^ARG NODE_IMAGE=(.*)$/m.exec(readFileSync(join(ROOT, 'containers/Dockerfile'), 'utf8')) ?? [];
  registry = await serveImages({
    node: { amd64: savedImage(node), arm64: { layers: [join(layers, 'node.tar')] } },
    debian: { arm64: { layers: [join(layers, 'debian.tar')] } },
  });
});
afterAll(async () => {
  for (const each of undo.reverse()) await each();
  await registry?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

test.each(['worker', 'orchestrator', 'http-api', 'clickhouse'])(
  'buildx makes the image %s for arm64 of the Dockerfile as it is, without emulation',
  async (target) => {
    // Programs for arm64 could not run meanwhile.
    writeFileSync(join(binfmt, NAME), '0');
    await build(registry.address, target);
    writeFileSync(join(binfmt, NAME), '1');
    expect(architecture(target)).toBe('arm64');
    expect(inImage(target, 'node', '-p', 'process.arch')).toBe('arm64');
  },
);

test('an engine cannot be compiled for arm64', async () => {
  const flags = ['--build-arg', 'ENGINE_RUNTIME=native'];
  await expect(build(registry.address, 'worker', ...flags)).rejects.toThrow(
    'ENGINE_RUNTIME=native: engines are compiled for amd64 only; use auto, which is V8 elsewhere',
  );
});

/** Starts the orchestrator on this machine; returns its address. */
async function startOrchestrator(worker: string): Promise<string> {
  const args = [BIN, 'orchestrator', '--json', '-s', '127.0.0.1:0', '--workers', worker];
  const service: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  undo.push(async () => {
    service.kill();
    if (service.exitCode === null) await once(service, 'exit');
  });
  if (service.stdout === null) throw new Error('the orchestrator has no stdout');
  for await (const line of createInterface(service.stdout))
    return (JSON.parse(line) as { address: string }).address;
  throw new Error('the orchestrator ended before it was ready');
}

test('the worker and the bridge of the images answer: exact rows, and no code cache of another processor', async () => {
  const traces = join(ROOT, 'samples/traces');
  const mounts = ['--volume', `${traces}:/traces:ro`, '--tmpfs', '/tmp', '--read-only'];
  const ports = ['--publish', '127.0.0.1::5052', '--publish', '127.0.0.1::9464'];
  const flags = ['--detach', '--platform', 'linux/arm64', '--name', NAME, ...mounts, ...ports];
  print('docker', 'run', ...flags, `${NAME}/worker`, '--traces', '/traces', '--threads', '1');
  undo.push(() => print('docker', 'rm', '--force', '--volumes', NAME));
  const health = (): string =>
    print('docker', 'inspect', '--format', '{{.State.Status}} {{.State.Health.Status}}', NAME);
  await expect.poll(health, { timeout: 120_000, interval: 1000 }).toBe('running healthy');

  const orchestrator = await startOrchestrator(print('docker', 'port', NAME, '5052'));
  const sql =
    'SELECT (SELECT count(*) FROM slice) AS slices, (SELECT count(*) FROM sched) AS sched';
  const question = ['--traces', '/local/linux/atrace-print.pftrace', '--sql', sql];
  const args = ['query', '--orchestrator', orchestrator, '--format', 'tsv', ...question];
  const { stdout } = await run(process.execPath, [BIN, ...args]);
  expect(stdout).toBe(
    '_trace_address\tslices\tsched\n/local/linux/atrace-print.pftrace\t2795\t5648\n',
  );

  const scripts = '/opt/bigtrace/user_scripts';
  const files = inImage('clickhouse', 'ls', scripts);
  expect(files.split('\n')).toEqual(['bigtrace', 'bridge-main.cjs', 'bridge.cjs']);
  const command = `BIGTRACE_ORCHESTRATOR=${orchestrator} ${scripts}/bigtrace progress`;
  expect(inImage('clickhouse', 'sh', '-c', command)).toMatch(/END$/);
});
