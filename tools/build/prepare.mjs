/**
 * From a fresh checkout to something that runs: packages, engine, bundles; each only when it is
 * missing or older than what it comes from. It reports on stderr, for stdout is the command's.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../root.mjs';
import { withNpmEnvironment } from './npm.mjs';
import { oneAtATime } from './one-at-a-time.mjs';

const USAGE_EXIT = 2;

export async function prepareOrExit() {
  try {
    await prepare();
  } catch (error) {
    console.error(`bigtrace: ${error.message}`);
    process.exit(error instanceof WrongNode ? USAGE_EXIT : 1);
  }
}

export async function prepare() {
  checkNode();
  if (!isInstalled()) await oneAtATime(`install ${root}`, install);
  // Only now: these import packages.
  if (!process.env.BIGTRACE_TRACE_PROCESSOR_WASM) {
    const { fetchEngine } = await import('./fetch-engine.mjs');
    await fetchEngine((message) => console.error(`bigtrace: ${message}`));
  }
  const { build } = await import('./build.mjs');
  await build();
}

/** Whoever installed in the meantime left nothing to do. */
async function install() {
  if (!isInstalled())
    await await step('installing packages with npm ci (once, about 250 MB)', () =>
      withNpmEnvironment(npmCi),
    );
}

class WrongNode extends Error {}

function checkNode() {
  const { engines } = readJson('package.json');
  const [major, minor] = engines.node.replace('>=', '').split('.').map(Number);
  const [ours, oursMinor] = process.versions.node.split('.').map(Number);
  if (ours > major || (ours === major && oursMinor >= minor)) return;
  throw new WrongNode(`it needs Node ${engines.node}, this is ${process.versions.node}`);
}

/** npm keeps what it installed in a lock of its own; nothing of ours has to be kept in step with it. */
function isInstalled() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const wanted = readJson('package-lock.json').packages;
  const installed = readJson('node_modules/.package-lock.json').packages;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' ||
      (installed[path] === undefined
        ? entry.optional === true || entry.devOptional === true // for another platform
        : installed[path].integrity === entry.integrity),
  );
}

/** No install scripts run: none is needed. */
async function npmCi(env) {
  const args = [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
  ];
  const npm = process.env.npm_execpath; // set under `npm start`, and then the npm to use
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  // npm's own summary would be on stdout.
  const child = spawn(command, [...first, ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
  });
  const code = await new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`cannot run npm: ${error.message}`)));
    child.on('exit', resolve);
  });
  if (code !== 0) throw new Error(`npm ci failed with exit code ${code}; its reason is above`);
}

/** Says what is going on; on a terminal with the seconds that it has taken so far. */
async function step(text, run) {
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  const live = process.stderr.isTTY;
  process.stderr.write(`bigtrace: ${text} …${live ? '' : '\n'}`);
  const ticker = setInterval(() => {
    if (live) process.stderr.write(`\r\x1b[Kbigtrace: ${text} … ${seconds()}`);
  }, 1000);
  try {
    await run();
  } finally {
    clearInterval(ticker);
    if (live) process.stderr.write(`\r\x1b[Kbigtrace: ${text}: ${seconds()}\n`);
  }
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await prepareOrExit();
