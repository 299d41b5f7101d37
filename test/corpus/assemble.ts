/**
 * Vitest's global setup that assembles the corpus from stored files, samples and generated files. It does nothing if
 * the corpus is up to date with its sources.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { oneAtATime } from '../../tools/build/one-at-a-time.mjs';
import { generators } from './generated.ts';
import { CORPUS, CORPUS_SOURCE, corpusTraces, keptFile } from './index.ts';

/** The digest of the sources, stored outside the corpus directory so that the latter contains only traces. */
const STAMP = `${CORPUS}.digest`;

export default async function assembleCorpus(): Promise<void> {
  const digest = digestOfSources();
  if (!isAssembled(digest))
    await oneAtATime(`corpus ${CORPUS}`, async () => {
      if (!isAssembled(digest)) await assemble(digest);
    });
}

function isAssembled(digest: string): boolean {
  return existsSync(CORPUS) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest;
}

/** Returns a digest of the generators and the manifest, which contains the digests of the stored files. */
function digestOfSources(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(CORPUS_SOURCE).toSorted())
    if (/\.(ts|tsv)$/.test(name)) hash.update(readFileSync(join(CORPUS_SOURCE, name)));
  return hash.digest('hex');
}

/** Assembles the corpus in a temporary directory first: another test run may read the previous corpus until then. */
async function assemble(digest: string): Promise<void> {
  await mkdir(dirname(CORPUS), { recursive: true });
  const scratch = await mkdtemp(`${CORPUS}-`);
  try {
    const traces = corpusTraces();
    await Promise.all(
      traces.map(({ path }) => mkdir(dirname(join(scratch, path)), { recursive: true })),
    );
    await Promise.all(
      traces.map(async (trace) => {
        const to = join(scratch, trace.path);
        if (trace.kept === 'generated') await generated(trace.path, to);
        else await copyFile(keptFile(trace), to);
      }),
    );
    await chmod(scratch, 0o755); // mkdtemp gives access to its user only
    await rm(STAMP, { force: true });
    await rm(CORPUS, { recursive: true, force: true });
    await rename(scratch, CORPUS);
    await writeFile(STAMP, digest);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function generated(path: string, to: string): Promise<void> {
  const generate = generators[path];
  if (generate === undefined) throw new Error(`test/corpus: nothing generates ${path}`);
  await writeFile(to, await generate());
}
