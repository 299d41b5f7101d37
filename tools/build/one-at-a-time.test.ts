import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MODULE = new URL('./one-at-a-time.mjs', import.meta.url).href;
const diary = join(mkdtempSync(join(tmpdir(), 'bigtrace-lock-')), 'diary');

/** Starts a process that takes the lock, writes `in`, runs `work`, and writes `out`. */
function start(work: string): ChildProcess {
  const program = `
    import { appendFileSync } from 'node:fs';
    import { oneAtATime } from '${MODULE}';
    const write = (word) => appendFileSync('${diary}', word);
    await oneAtATime('${diary}', async () => { write('in '); ${work}; write('out '); });`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('processes run one at a time, even after one was killed while it held the lock', async () => {
  const killed = start(
    'console.log("begun"); await new Promise(() => setInterval(() => {}, 1000))',
  );
  if (killed.stdout !== null) await once(killed.stdout, 'data');
  const others = [1, 2, 3].map(() => start('await new Promise((end) => setTimeout(end, 50))'));
  const ended = Promise.all(others.map((one) => once(one, 'exit')));
  killed.kill('SIGKILL');
  expect(await ended).toEqual([
    [0, null],
    [0, null],
    [0, null],
  ]);
  expect(readFileSync(diary, 'utf8')).toBe('in in out in out in out ');
});
