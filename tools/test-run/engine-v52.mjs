/** Puts the engine of Perfetto v52.0, with 32-bit and 64-bit memory, into vendor/engines, from a build of the UI. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneAtATime } from '../build/one-at-a-time.mjs';
import { root } from '../root.mjs';
import { fetchPerfettoUi, UI_VERSION } from './perfetto-ui.mjs';

const ENGINES = join(root, 'vendor/engines');
const ENGINE_V52 = join(ENGINES, UI_VERSION);
const FILES = ['trace_processor.wasm', 'trace_processor_memory64.wasm'];

/** @returns {Promise<string>} the directory with both files */
export async function fetchEngineV52() {
  const ui = await fetchPerfettoUi();
  await oneAtATime(`engine ${ENGINE_V52}`, () => existsSync(ENGINE_V52) || install(ui));
  return ENGINE_V52;
}

/** Copies under a temporary name and renames, so that no process sees a part of it. */
function install(ui) {
  mkdirSync(ENGINES, { recursive: true });
  const scratch = mkdtempSync(`${ENGINE_V52}.new-`);
  try {
    for (const name of FILES) copyFileSync(join(ui, UI_VERSION, name), join(scratch, name));
    copyFileSync(join(ui, 'LICENSE'), join(scratch, 'LICENSE'));
    renameSync(scratch, ENGINE_V52);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await fetchEngineV52());
