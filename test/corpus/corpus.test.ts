import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CORPUS, corpusTraces } from './index.ts';

test('every file of the manifest exists and has the digest of the manifest', () => {
  const wrong = corpusTraces().flatMap(({ path, sha256 }) => {
    const file = join(CORPUS, path);
    if (!existsSync(file)) return [`${path} is missing`];
    const is = createHash('sha256').update(readFileSync(file)).digest('hex');
    return sha256 === undefined || is === sha256 ? [] : [`${path} has the digest ${is}`];
  });
  expect(wrong).toEqual([]);
});
