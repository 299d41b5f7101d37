/**
 * Builds `dist/`: the bundles, the console and the ClickHouse tree. Plain JS, for it runs before anything is built.
 * A stamp over the inputs makes a build of what is built already cost some milliseconds.
 */
import { spawnSync } from 'node:child_process';
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
import { fileURLToPath, pathToFileURL } from 'node:url';
import { queryViews } from '../../clickhouse/views/query-views.mjs';
import { root } from '../root.mjs';
import { oneAtATime } from './one-at-a-time.mjs';
import { viewsFormat } from './views-format.mjs';
import { esbuildWat } from './wat.mjs';

const dist = join(root, 'dist');
const STAMP = join(dist, '.stamp');

/** Rooms that no bundle is made of; all others are inputs, so that a new room cannot be forgotten. */
const NO_INPUTS = new Set([
  ...['node_modules', 'dist', 'vendor', 'data', 'samples', 'test-results'],
  ...['docs', 'bench', 'test', 'containers', 'k8s', 'superset', 'tools'],
]);

const SHARED = {
  // Entry points are relative to it: esbuild takes a `*` in them for a pattern.
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'silent',
};

/** What modules import from node_modules stays outside. */
const MODULE = { ...SHARED, format: 'esm', packages: 'external' };

/** What these share is in chunks. */
const MODULES = {
  ...MODULE,
  entryPoints: {
    bigtrace: 'cli/main.ts',
    'worker-thread': 'worker/engines/thread.ts',
    'clickhouse-embedded': 'clickhouse/engine/embedded.ts',
  },
  outdir: dist,
  write: false,
  splitting: true,
};

const SCRIPTS = join(dist, 'clickhouse/user_scripts');

/** Files that need nothing but each other, quick to start. */
const BRIDGE = {
  ...SHARED,
  entryPoints: {
    bridge: 'bridge/load.ts',
    'bridge-main': 'bridge/main.ts',
  },
  outdir: SCRIPTS,
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.dirname': '__dirname' },
  write: false,
  format: 'cjs',
  minify: true,
  legalComments: 'none',
};

/** A page of three files, whose names stay the same. */
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
      output: { entryFileNames: 'console.js', assetFileNames: 'console[extname]' },
    },
  },
};

/** What of `clickhouse/` ClickHouse and its set-up read. */
const CLICKHOUSE_TREE =
  /^clickhouse\/(bigtrace_function\.xml$|(config\.d|embedded|sql|users\.d)\/)/;

/** The code that V8 made of the bridge, see bridge/load.ts. */
const BRIDGE_CACHE = join(SCRIPTS, 'bridge-main.cache');

/** What else is in `dist/`: what tools and tests build there, and what a build keeps. */
const NO_OUTPUTS = /^(test\/|(bench|baseline)\.js$|\.stamp$)|\.cache$/;

/** Resolves to true when something had to be built. */
export async function build() {
  if (isBuilt(stampOf(inputFiles()))) return false;
  return oneAtATime(`build ${dist}`, buildChanged);
}

/** Whoever built in the meantime may have left nothing to do. */
async function buildChanged() {
  const inputs = inputFiles();
  const stamp = stampOf(inputs);
  if (isBuilt(stamp)) return false;
  const { build: esbuild } = await import('esbuild');
  const [page, ...made] = await Promise.all([
    buildConsole(),
    ...[MODULES, BRIDGE].map((options) => esbuild({ ...options, plugins: [rawText, esbuildWat] })),
  ]);
  const outputs = [
    ...page,
    ...made.flatMap(({ outputFiles }) => outputFiles),
    ...clickHouseTree(inputs),
  ];
  rmSync(BRIDGE_CACHE, { force: true }); // V8 tells a cache's program by its length only
  for (const output of outputs) writeIfChanged(output);
  removeOthers(new Set(outputs.map(({ path }) => path)));
  warmBridge();
  writeIfChanged({ path: STAMP, contents: Buffer.from(stamp) });
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

/** Runs the bridge as far as it comes without an orchestrator, so that its code is kept compiled. */
function warmBridge() {
  spawnSync(process.execPath, [join(SCRIPTS, 'bridge.cjs'), '--write-code-cache', 'query'], {
    input: "['/local/a']\tSELECT 1\t\t\tstrict\t_hb UInt8, _trace_address String, a Int64\n",
    env: { ...process.env, BIGTRACE_ORCHESTRATOR: '127.0.0.1:1' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

/** A module of the checkout as a program in `dist/`, for tools; resolves to its path. */
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

/** The directories whose files are bundled. */
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

/** Sizes and times instead of contents: the build runs at every start of the command. */
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

/** What earlier builds left: chunks are named after what they hold, SQL that is there is run. */
function removeOthers(outputs) {
  for (const path of filesBelow(dist))
    if (!outputs.has(path) && !NO_OUTPUTS.test(relative(dist, path))) rmSync(path);
}

/** In a program for tools a module's `import.meta.url` is still its own file's. */
const ownUrl = {
  name: 'own-url',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        'import.meta.url',
        JSON.stringify(pathToFileURL(path).href),
      ),
      loader: 'ts',
    }));
  },
};

/** `import text from './file?raw'`, as `lib/proto/raw.d.ts` declares it. */
const rawText = {
  name: 'raw-text',
  setup(build) {
    build.onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.slice(0, -'?raw'.length)),
      namespace: 'raw-text',
    }));
    build.onLoad({ filter: /.*/, namespace: 'raw-text' }, ({ path }) => ({
      contents: readFileSync(path),
      loader: 'text',
    }));
  },
};

/** With the views that are made here, and the script by which ClickHouse starts the bridge. */
function clickHouseTree(inputs) {
  const script = join(root, 'bridge/bigtrace.sh');
  return [
    { path: join(SCRIPTS, 'bigtrace'), contents: readFileSync(script), mode: 0o755 },
    ...queryViews({ format: viewsFormat() }).map(([name, sql]) => ({
      path: join(dist, 'clickhouse/sql', name),
      contents: Buffer.from(sql),
    })),
    ...inputs
      .map((path) => relative(root, path))
      .filter((path) => CLICKHOUSE_TREE.test(path))
      .map((path) => ({ path: join(dist, path), contents: readFileSync(join(root, path)) })),
  ];
}

/** By renaming, so that a running system never reads half a file. */
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
