/**
 * Builds `dist/`: the bundles, the console and the ClickHouse tree. It is plain JavaScript, because it runs before
 * anything is built. If the stamp of the inputs is unchanged, it returns after some milliseconds.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedSql } from '../../clickhouse/views/query-views.mjs';
import { root } from '../root.mjs';
import { oneAtATime } from './one-at-a-time.mjs';
import { ownUrl } from './own-url.mjs';
import { rawText } from './raw-text.mjs';
import { viewsFormat } from './views-format.mjs';
import { warmBridge } from './warm-bridge.mjs';
import { esbuildWat } from './wat.mjs';

const dist = join(root, 'dist');
const STAMP = join(dist, '.stamp');

/** Directories that are not bundled. All others are inputs, so that a new directory cannot be forgotten. */
const NO_INPUTS = new Set([
  ...['node_modules', 'dist', 'vendor', 'data', 'samples', 'test-results'],
  ...['docs', 'bench', 'test', 'containers', 'k8s', 'charts', 'superset', 'tools'],
]);

const SHARED = {
  // Entry points are relative to it, because esbuild treats a `*` in an entry point as a pattern.
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'silent',
};

/** Options of ES modules, which import packages from node_modules at run time. */
const MODULE = { ...SHARED, format: 'esm', packages: 'external' };

/** The entry points that are bundled together; code that they share is in chunks. */
const MODULES = {
  ...MODULE,
  entryPoints: {
    bigtrace: 'cli/main.ts',
    'file-thread': 'lib/trace-store/local/file-thread.ts',
    'clickhouse-embedded': 'clickhouse/engine/embedded.ts',
    'clickhouse-server': 'clickhouse/binary/server.ts',
  },
  outdir: dist,
  write: false,
  splitting: true,
};

/** The engine thread: one file, which a new thread reads and compiles in half the time of modules that import each other. */
const THREAD = {
  ...SHARED,
  format: 'cjs',
  packages: 'external',
  entryPoints: { 'worker-thread': 'worker/engines/thread.ts' },
  outdir: dist,
  outExtension: { '.js': '.cjs' },
  // A directive counts only before all statements.
  banner: {
    js: "'use strict'; const moduleUrl = require('node:url').pathToFileURL(__filename).href;",
  },
  define: { 'import.meta.url': 'moduleUrl' },
  write: false,
};

const SCRIPTS = join(dist, 'clickhouse/user_scripts');

/** The bridge: self-contained files that start quickly. */
const BRIDGE = {
  ...SHARED,
  entryPoints: {
    bridge: 'bridge/load.ts',
    'bridge-main': 'bridge/main.ts',
  },
  outdir: SCRIPTS,
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.dirname': '__dirname' },
  // The code that node:vm runs cannot use import(), so it becomes require().
  supported: { 'dynamic-import': false },
  write: false,
  format: 'cjs',
  minify: true,
  legalComments: 'none',
};

/** The console, and the page that opens traces: files with fixed names. */
const CONSOLE = {
  root: join(root, 'console'),
  base: './',
  configFile: false,
  logLevel: 'silent',
  build: {
    target: 'es2023',
    modulePreload: false,
    write: false,
    rolldownOptions: {
      input: {
        console: join(root, 'console/index.html'),
        catalog: join(root, 'console/catalog.html'),
        open: join(root, 'console/open.html'),
      },
      output: {
        ...{ entryFileNames: '[name].js', chunkFileNames: '[name].js' },
        assetFileNames: 'console[extname]',
      },
    },
  },
};

/** The files of `clickhouse/` that ClickHouse and its setup read. */
const CLICKHOUSE_TREE =
  /^clickhouse\/(bigtrace_function\.xml$|(config\.d|embedded|sql|sql-upgrades|users\.d)\/)/;

/** V8's code cache of the bridge (bridge/load.ts). */
const BRIDGE_CACHE = join(SCRIPTS, 'bridge-main.cache');

/** Files in `dist/` that a build does not remove: outputs of tools and tests, the stamp, and code caches. */
const NO_OUTPUTS = /^(test\/|(bench|bench-runtime|baseline)\.js$|\.stamp$)|\.cache$/;

/** Builds `dist/` if its inputs changed; returns whether it did. */
export async function build() {
  if (isBuilt(stampOf(inputFiles()))) return false;
  return oneAtATime(`build ${dist}`, buildChanged);
}

/** Builds `dist/` while holding the lock, unless another process has built it in the meantime. */
async function buildChanged() {
  const inputs = inputFiles();
  const stamp = stampOf(inputs);
  if (isBuilt(stamp)) return false;
  const { build: esbuild, stop } = await import('esbuild');
  const [page, ...assets] = await Promise.all([
    buildConsole(),
    ...[MODULES, THREAD, BRIDGE].map((options) =>
      esbuild({ ...options, plugins: [rawText, esbuildWat] }),
    ),
  ]);
  const outputs = [
    ...page,
    ...assets.flatMap(({ outputFiles }) => outputFiles),
    ...clickHouseTree(inputs),
  ];
  rmSync(BRIDGE_CACHE, { force: true }); // V8 checks only the length of the source against the cache
  for (const output of outputs) writeIfChanged(output);
  removeOthers(new Set(outputs.map(({ path }) => path)));
  await warmBridge(join(SCRIPTS, 'bridge.cjs'));
  writeIfChanged({ path: STAMP, contents: Buffer.from(stamp) });
  await stop(); // its process would run as long as `bigtrace up`, which builds first
  return true;
}

function isBuilt(stamp) {
  return readIfThere(STAMP)?.toString() === stamp;
}

async function buildConsole() {
  const { build: vite } = await import('vite');
  const { output } = await vite(CONSOLE);
  return output.map(({ fileName, code, source }) => ({
    path: join(dist, 'console', fileName),
    contents: Buffer.from(code ?? source),
  }));
}

/** Bundles a module of the checkout as a program in `dist/`, for tools; returns its path. */
export async function bundleModule(source, output) {
  const { build: esbuild } = await import('esbuild');
  const outfile = join(dist, output);
  await esbuild({
    ...MODULE,
    entryPoints: [source],
    outfile,
    plugins: [ownUrl, rawText, esbuildWat],
  });
  return outfile;
}

/** Returns the directories whose files are bundled. */
export function inputRooms() {
  return readdirSync(root, { withFileTypes: true })
    .filter((room) => room.isDirectory() && !room.name.startsWith('.') && !NO_INPUTS.has(room.name))
    .map(({ name }) => name);
}

function inputFiles() {
  return inputRooms()
    .flatMap((name) => filesBelow(join(root, name)))
    .filter((path) => !path.endsWith('.test.ts'))
    .sort();
}

function filesBelow(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** Returns a digest of sizes and modification times; contents would take too long at every start of the command. */
function stampOf(inputs) {
  const hash = createHash('sha256');
  hash.update(viewsFormat());
  for (const path of [
    ...inputs,
    fileURLToPath(import.meta.url),
    join(root, 'package.json'),
    join(root, 'package-lock.json'),
  ]) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${relative(root, path)}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Removes files of earlier builds: chunks have their hash in the name, and every SQL file in the tree is run. */
function removeOthers(outputs) {
  for (const path of filesBelow(dist))
    if (!outputs.has(path) && !NO_OUTPUTS.test(relative(dist, path))) rmSync(path);
}

/** Returns the files for ClickHouse, including the generated views and the script that starts the bridge. */
function clickHouseTree(inputs) {
  const script = join(root, 'bridge/bigtrace.sh');
  return [
    { path: join(SCRIPTS, 'bigtrace'), contents: readFileSync(script), mode: 0o755 },
    ...generatedSql(viewsFormat()).map(([path, sql]) => ({
      path: join(dist, 'clickhouse', path),
      contents: Buffer.from(sql),
    })),
    ...inputs
      .map((path) => relative(root, path))
      .filter((path) => CLICKHOUSE_TREE.test(path))
      .map((path) => ({
        path: join(dist, path.replace('sql-upgrades', 'sql')),
        contents: readFileSync(join(root, path)),
      })),
  ];
}

/** Writes a changed file under a temporary name and renames it, so that a running system never reads a partial file. */
function writeIfChanged({ path, contents, mode }) {
  if (readIfThere(path)?.equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = join(dirname(path), `.${basename(path)}.${process.pid}`);
  writeFileSync(unfinished, contents, { mode });
  renameSync(unfinished, path);
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path) : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const built = await build();
  console.error(built ? 'built dist/' : 'dist/ is up to date');
}
