/**
 * `npm run dev`: runs `bigtrace up`, and starts it again after a source file changed. The new start builds first; if
 * the build fails, the next change starts it again. Arguments go to `bigtrace up`.
 */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { prepareOrExit } from './build/prepare.mjs';
import { root } from './root.mjs';

/** The restart waits until no file changed for this time, because editors and git change files in several steps. */
const QUIET_MS = 300;

const changes = new EventEmitter();
let quiet;

await prepareOrExit();
const { inputRooms } = await import('./build/build.mjs'); // build.mjs imports packages
for (const room of inputRooms()) watch(join(root, room), { recursive: true }, onChange);

for (;;) {
  const system = spawn(
    process.execPath,
    [join(root, 'cli/bigtrace.mjs'), 'up', ...process.argv.slice(2)],
    { stdio: 'inherit' },
  );
  const onSignal = async (signal) => {
    if (signal === 'SIGTERM') system.kill(signal); // a terminal sends SIGINT to both processes
    await exitOf(system);
    process.exit();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  await once(changes, 'settled');
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  console.error('bigtrace: a source file changed; starting again');
  system.kill('SIGTERM');
  await exitOf(system);
}

function onChange(_event, name) {
  if (name?.endsWith('.test.ts')) return;
  clearTimeout(quiet);
  quiet = setTimeout(() => changes.emit('settled'), QUIET_MS);
}

async function exitOf(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
