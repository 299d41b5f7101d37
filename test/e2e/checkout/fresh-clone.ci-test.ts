/** Runs the commands of the README literally, in a fresh clone, on every supported Node version. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { descendants, gone, listens } from '../../harness/system.ts';

/** The start under Node 24 is tested by anywhere.ci-test.ts. */
const NODE_VERSIONS = ['20', '22'];
const PORTS = [8123, 9000, 5001, 5051, 5052, 5053];

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'bigtrace-clone-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Installs a Node version and returns the directory of its `node`; the stages of the gate share it. */
function installNode(version: string): string {
  const args = [join(ROOT, 'tools/test-run/node-version.mjs'), version];
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
}

interface Started {
  npm: ChildProcess;
  output(): string;
  tookMs: number;
}

/** Runs `npm start` as in a terminal: in its own process group, to which Ctrl-C sends SIGINT. */
async function npmStart(cwd: string, env: NodeJS.ProcessEnv): Promise<Started> {
  const from = performance.now();
  const npm = spawn('npm', ['start'], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const up = new Promise<void>((resolve, reject) => {
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('Bigtrace is up')) resolve();
    };
    npm.stdout.on('data', keep);
    npm.stderr.on('data', keep);
    npm.on('exit', () => reject(new Error(`npm start ended:\n${output}`)));
  });
  await up;
  return { npm, output: () => output, tookMs: performance.now() - from };
}

const seconds = ({ tookMs }: Started): string => `${(tookMs / 1000).toFixed(1)} s`;

async function ctrlC({ npm }: Started): Promise<void> {
  const family = descendants(npm.pid ?? 0);
  expect(family.length).toBeGreaterThanOrEqual(5);
  const exited = once(npm, 'exit');
  process.kill(-(npm.pid ?? 0), 'SIGINT');
  await exited;
  await gone(family);
  for (const port of PORTS) expect(await listens(`127.0.0.1:${port}`)).toBe(false);
}

/** Returns the shell commands of the README that run queries. */
function readmeCommands(cwd: string): string[] {
  const blocks = readFileSync(join(cwd, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g);
  return [...blocks].map(([, text]) => text ?? '').filter((text) => !text.includes('npm '));
}

describe.each(NODE_VERSIONS)('on Node %s', (version) => {
  let env: NodeJS.ProcessEnv;
  let clone = '';

  beforeAll(() => {
    env = { ...process.env, PATH: `${installNode(version)}:${process.env['PATH']}` };
    for (const name of Object.keys(env))
      if (/^(npm_(?!config_)|BIGTRACE_|NODE_(?!EXTRA_CA)|BASH_ENV)/.test(name)) delete env[name];
    clone = join(scratch, `clone-${version}`);
    execFileSync('git', ['clone', '--quiet', ROOT, clone]);
    const running = execFileSync('node', ['--version'], { env, encoding: 'utf8' });
    expect(running).toMatch(new RegExp(`^v${version}\\.`));
  });

  it('npm start works twice, the commands of the README work, and Ctrl-C stops everything', async () => {
    const first = await npmStart(clone, env);
    const outputs = readmeCommands(clone).map((command) =>
      execFileSync('bash', ['-euc', command], { cwd: clone, env, encoding: 'utf8' }),
    );
    expect(outputs.length).toBe(3);
    expect(outputs[0]).toMatch(/│ sys_newfstatat +│ 34265 │/);
    expect(outputs[1]).toMatch(/^\/local\/linux\/pipe-pingpong\.pftrace\t39764\n/);
    expect(outputs[2]).toMatch(/\/local\/linux\/gzip-cpu\.pftrace +2547\n/);
    await ctrlC(first);
    const second = await npmStart(clone, env);
    expect(second.output()).not.toMatch(/installing|downloading/);
    await ctrlC(second);
    console.log(`first start: ${seconds(first)}, second start: ${seconds(second)}`);
  });
});
