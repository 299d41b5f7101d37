import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, type open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Glob } from '../../common/glob/glob.ts';
import { walk } from './walk.ts';

const opened: string[] = [];
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<{ open: typeof open }>();
  const recorded: typeof open = (path, flags, mode) => {
    opened.push(path.toString());
    return original.open(path, flags, mode);
  };
  return { ...original, open: recorded };
});

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'bigtrace-walk-'));
  for (const path of ['a/x/b1.p', 'a/x/c.p', 'a/y/b2.p', 'a/y/deep/b3.p', 'b/x/b4.p', 'b/z/b5.p']) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
});
afterAll(() => rm(root, { recursive: true }));

test.each([
  ['a/*/b*.p', ['a/x/b1.p', 'a/y/b2.p'], ['a', 'a/x', 'a/y']],
  ['a/x/b1.p', ['a/x/b1.p'], []],
  ['{a,b}/x/*', ['a/x/b1.p', 'a/x/c.p', 'b/x/b4.p'], ['a/x', 'b/x']],
  ['*/z/b5.p', ['b/z/b5.p'], ['']],
  ['b/**/b4.p', ['b/x/b4.p'], ['b', 'b/x', 'b/z']],
])(
  'the walk of %s enters only directories where something can match',
  async (pattern, paths, directories) => {
    opened.length = 0;
    const walked: string[] = [];
    for await (const batch of walk([root, root], Glob.parse(pattern), undefined))
      walked.push(...batch.map(({ path }) => path));
    expect({ found: walked, opened }).toEqual({
      found: paths,
      opened: directories.map((directory) => join(root, directory)),
    });
  },
);
