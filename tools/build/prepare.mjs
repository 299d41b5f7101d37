/**
 * Makes a fresh checkout runnable: installs packages, downloads the engine and builds the bundles, each only if it is
 * missing or out of date. It reports on stderr, because stdout belongs to the command.
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
  // Imported only now, because these modules import packages.
  if (!process.env.BIGTRACE_TRACE_PROCESSOR_WASM) {
    const { fetchEngine } = await import('./fetch-engine.mjs');
    await fetchEngine((message) => console.error(`bigtrace: ${message}`));
  }
  const { build } = await import('./build.mjs');
  await build();
}

/** Installs the packages while holding the lock, unless another process has done so in the meantime. */
async function install() {
  if (!isInstalled())
    await step('installing packages with npm ci (once, about 250 MB)', () =>
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

/** Whether the installed packages, which npm records in node_modules/.package-lock.json, match package-lock.json. */
function isInstalled() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const wanted = readJson('package-lock.json').packages;
  const installed = readJson('node_modules/.package-lock.json').packages;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' ||
      (installed[path] === undefined
        ? entry.optional === true || entry.devOptional === true // may be for another platform
        : installed[path].integrity === entry.integrity),
  );
}

/** Runs `npm ci` without install scripts, which no package needs. */
async function npmCi(env) {
  const args = [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
  ];
  const npm = process.env.npm_execpath; // set by `npm start`: the npm that runs it
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  // npm's stdout goes to stderr, because stdout belongs to the command.
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

/** Reports a step on stderr while it runs; on a terminal with the elapsed seconds. */
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
