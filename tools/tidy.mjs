/** Runs checks that linters lack: imports between rooms, unwanted content and files, outdated documents. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { outdatedProtoTypes } from './build/proto-types.mjs';
import { brokenLinks } from './checks/doc-links.mjs';
import { importComplaints, MAY_IMPORT } from './checks/layers.mjs';
import { repositoryFiles } from './checks/repository-files.mjs';
import { wrongVersions } from './checks/version.mjs';
import { root } from './root.mjs';

const files = repositoryFiles(root);
const ARCHITECTURE = 'docs/ARCHITECTURE.md';
const GLOSSARY = 'docs/GLOSSARY.md';
const TERMS_MAX = 40;
const RETIRED_WORDS = 'tools/checks/retired-words.txt';

/** Size limits of a data file, of any other file, and of all stored files of the corpus together. */
const FILE_BYTES_MAX = 5 * 2 ** 20;
const TEXT_BYTES_MAX = 2 ** 20;
const CORPUS_BYTES_MAX = 40 * 10 ** 6;
const CORPUS_FILES = 'test/corpus/files/';

const FOLDER_FILES_MAX = 20;
/** Folders of data files and of generated files, which may contain more files. */
const DATA_FOLDERS =
  /^(samples\/traces|test\/corpus\/(files|expected)|lib\/proto\/generated)(\/|$)/;
const DATA = /^(samples\/traces|test\/corpus\/files|test\/baseline)\//;

/** Files without prose of this project: data and third-party texts. */
const NO_PROSE =
  /^(package-lock\.json|THIRD_PARTY_NOTICES\.md|(samples\/traces|test\/corpus\/files|test\/baseline\/digests)\/)|\.(png|wasm)$/;

/** Banned patterns, each with the reason or the replacement, and the file that may contain it. */
const BANNED = [
  { pattern: /\b(TODO|FIXME|XXX)\b/, why: 'do it or open an issue' },
  { pattern: /\/work\/|\/home\/\w/, why: 'a path of one machine' },
  {
    pattern: /shared\/traces/,
    why: 'a folder beside the checkout; test/corpus has what tests need',
  },
  { pattern: /@ts-(ignore|nocheck)/, why: '@ts-expect-error tells when it is no longer needed' },
  { pattern: /\beslint-disable|prettier-ignore/, why: 'biome is what checks here' },
  {
    pattern: /\bas unknown as\b/,
    why: 'give the value its type; only the loaded .proto files have none',
    allowedIn: 'lib/proto/services.ts',
  },
];

const complaints = [
  ...files
    .filter((path) => /\.(ts|mjs)$/.test(path))
    .flatMap((path) => importComplaints(path, read(path))),
  ...roomComplaints(),
  ...textComplaints(),
  ...blobComplaints(),
  ...folderComplaints(),
  ...errorCatalogueComplaints(),
  ...glossaryComplaints(),
  ...retiredWordComplaints(),
  ...versionComplaints(),
  ...outdatedProtoTypes(),
  ...files.filter((path) => path.endsWith('.md')).flatMap((path) => brokenLinks(root, path, files)),
];
for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) process.exitCode = 1;
else console.log(`tidy: ${files.length} files`);

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

/** Reports rooms that docs/ARCHITECTURE.md does not explain. */
function roomComplaints() {
  const explained = tableAfter('## Rooms').map((row) => cells(row)[0]);
  return Object.keys(MAY_IMPORT)
    .filter((room) => !explained.some((names) => names.includes(`\`${room}\``)))
    .map((room) => `${ARCHITECTURE}: does not explain the room ${room}`);
}

function textComplaints() {
  const found = [];
  for (const path of files) {
    if (path === 'tools/tidy.mjs' || !/\.(ts|mjs|sh|md|sql|xml|json|yaml|proto)$/.test(path))
      continue;
    if (path === 'package-lock.json' || /^(samples\/traces|test\/corpus\/files)\//.test(path))
      continue;
    read(path)
      .split('\n')
      .forEach((line, at) => {
        for (const { pattern, why, allowedIn } of BANNED)
          if (path !== allowedIn && pattern.test(line))
            found.push(`${path}:${at + 1}: ${pattern.exec(line)[0]}: ${why}`);
      });
  }
  return found;
}

/** Reports folders with too many files to see at a glance. */
function folderComplaints() {
  const counts = new Map();
  for (const path of files) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return [...counts]
    .filter(([folder, count]) => count > FOLDER_FILES_MAX && !DATA_FOLDERS.test(folder))
    .map(([folder, count]) => `${folder}: ${count} files, more than ${FOLDER_FILES_MAX}`);
}

function blobComplaints() {
  const sizes = files.map((path) => ({ path, bytes: statSync(join(root, path)).size }));
  const corpus = sizes.filter(({ path }) => path.startsWith(CORPUS_FILES));
  const corpusBytes = corpus.reduce((sum, { bytes }) => sum + bytes, 0);
  const listed = new Set(
    read('test/corpus/manifest.tsv')
      .split('\n')
      .map((line) => CORPUS_FILES + line.split('\t')[0]),
  );
  return [
    ...sizes
      .filter(({ path, bytes }) => bytes > (DATA.test(path) ? FILE_BYTES_MAX : TEXT_BYTES_MAX))
      .map(({ path, bytes }) => `${path}: ${bytes} bytes are too many`),
    ...corpus
      .filter(({ path }) => !listed.has(path))
      .map(({ path }) => `${path}: test/corpus/manifest.tsv does not name it`),
    ...(corpusBytes > CORPUS_BYTES_MAX
      ? [`${CORPUS_FILES}: ${corpusBytes} bytes are too many`]
      : []),
  ];
}

/** Reports differences between the error codes of lib/common/errors.ts and those in docs/ARCHITECTURE.md. */
function errorCatalogueComplaints() {
  const source = read('lib/common/errors.ts');
  const codes = [...source.matchAll(/^ {2}(\w+): \{ kind: '(\w+)'/gm)].map(([, code, kind]) => [
    code,
    kind,
  ]);
  const documented = new Map(
    tableAfter('## Errors').map((row) => {
      const [code, kind] = cells(row);
      return [code.replaceAll('`', ''), kind];
    }),
  );
  const found = [];
  for (const [code, kind] of codes) {
    if (!documented.has(code)) found.push(`${ARCHITECTURE}: does not explain the error ${code}`);
    else if (documented.get(code) !== kind)
      found.push(`${ARCHITECTURE}: ${code} is of kind ${kind}, not ${documented.get(code)}`);
    documented.delete(code);
  }
  for (const code of documented.keys()) found.push(`${ARCHITECTURE}: there is no error ${code}`);
  return found;
}

/** Reports duplicate terms of the glossary, and too many terms. */
function glossaryComplaints() {
  const rows = read(GLOSSARY)
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (term|---) /.test(line));
  const terms = rows.map((row) => cells(row)[0]);
  const found = [...new Set(terms.filter((term, at) => terms.indexOf(term) !== at))].map(
    (term) => `${GLOSSARY}: ${term} is explained twice`,
  );
  if (terms.length > TERMS_MAX)
    found.push(`${GLOSSARY}: ${terms.length} terms, more than ${TERMS_MAX}`);
  return found;
}

/** Reports uses of the phrases in the list of retired words. */
function retiredWordComplaints() {
  const words = read(RETIRED_WORDS)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return files
    .filter((path) => path !== RETIRED_WORDS && path !== 'CHANGELOG.md' && !NO_PROSE.test(path))
    .flatMap((path) => {
      const text = read(path).replace(/\s*\n[\s/*#]*/g, ' '); // a phrase may continue in the next line
      return words
        .filter((word) => text.includes(word))
        .map((word) => `${path}: "${word}" is retired (${RETIRED_WORDS})`);
    });
}

function versionComplaints() {
  return wrongVersions().map(
    ({ path, version }) => `${path}: version ${version} is not the one of package.json`,
  );
}

/** Returns the rows of the first table under a heading, without its header. */
function tableAfter(heading) {
  const lines = read(ARCHITECTURE).split('\n');
  const under = lines.indexOf(heading);
  if (under < 0) throw new Error(`${ARCHITECTURE} has no "${heading}"`);
  const first = lines.findIndex((line, at) => at > under && line.startsWith('|'));
  const end = lines.findIndex((line, at) => at > first && !line.startsWith('|'));
  return lines.slice(first + 2, end < 0 ? undefined : end);
}

function cells(row) {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
