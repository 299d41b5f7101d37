/**
 * Generates the TypeScript types of the `.proto` files: one file per message below lib/proto/generated, and
 * lib/proto/messages.ts, which exports them all. `npm run proto` writes them; tools/tidy.mjs reports outdated ones.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOADER_OPTIONS } from '../../lib/proto/loader-options.mjs';
import { root } from '../root.mjs';

const PROTO = join(root, 'lib/proto');
const FILES = ['bigtrace.proto', 'externalscaler.proto', 'perfetto.proto'];
const GENERATED = 'generated';
const BARREL = 'messages.ts';

/** For a message M, `M` is what a reader gets, `MInput` what a writer may pass. */
const FLAGS = [
  ...Object.entries(LOADER_OPTIONS).map(([name, value]) =>
    value === true ? `--${name}` : `--${name}=${value.name}`,
  ),
  ...['--includeComments', '--grpcLib=@grpc/grpc-js'],
  ...['--inputTemplate=%sInput', '--outputTemplate=%s'],
  ...['--targetFileExtension=.ts', '--importFileExtension=.ts'],
];

const BARREL_HEAD = `/**
 * The types of all messages and services, generated from the \`.proto\` files by \`npm run proto\`. For a message M,
 * \`M\` is what a reader gets, with defaults for absent fields; \`MInput\` is what a writer may pass.
 */
`;

/** Generates the types into a directory; returns the paths of the files, relative to it. */
function generate(directory) {
  const main = createRequire(import.meta.url).resolve('@grpc/proto-loader');
  const generator = join(main, '../../bin/proto-loader-gen-types.js');
  const { status, stderr } = spawnSync(
    process.execPath,
    [generator, ...FLAGS, '--outDir', join(directory, GENERATED), ...FILES],
    { cwd: PROTO, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`proto-loader-gen-types failed: ${stderr}`);
  const types = filesBelow(directory);
  const exported = types
    .filter((path) => path.split('/').length > 2) // the others describe whole packages
    .map((path) => `export type * from './${path}';\n`);
  writeFileSync(join(directory, BARREL), BARREL_HEAD + exported.join(''));
  return [...types, BARREL];
}

/** Returns a complaint for each generated file that is missing, outdated or superfluous. */
export function outdatedProtoTypes() {
  return inTemporaryDirectory((directory) => {
    const paths = generate(directory);
    const superfluous = filesBelow(PROTO).filter(
      (path) => path.startsWith(`${GENERATED}/`) && !paths.includes(path),
    );
    const outdated = paths.filter(
      (path) => textOf(join(PROTO, path)) !== textOf(join(directory, path)),
    );
    return [...superfluous, ...outdated].map(
      (path) => `lib/proto/${path}: is not what the .proto files say; run \`npm run proto\``,
    );
  });
}

function write() {
  inTemporaryDirectory((directory) => {
    generate(directory);
    rmSync(join(PROTO, GENERATED), { recursive: true, force: true });
    cpSync(directory, PROTO, { recursive: true });
  });
}

function inTemporaryDirectory(use) {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-proto-types-'));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function filesBelow(directory) {
  return readdirSync(directory, { recursive: true })
    .map((path) => relative(directory, join(directory, path)))
    .filter((path) => statSync(join(directory, path)).isFile())
    .sort();
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) write();
