/**
 * Bounds the directory of kept objects (module-object.ts), which other processes may use at the same time. The time of an
 * object's directory is that of its last use.
 */
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** Objects, of 20 MB each, of which the latest used are kept. */
const OBJECTS_MAX = 6;
/** An object that was used within this time may be in use. */
const IN_USE_MS = 3_600_000;
/** What a process left behind that has ended in the middle of its work. */
const ABANDONED_MS = 24 * 3_600_000;

const OBJECT = /^[0-9a-f]{32}$/;
const SCRATCH = /^[0-9a-f]{32}\.(new|old)-/;

/** Notes that an object is used now, if it is there. */
export async function markUsed(object: string): Promise<void> {
  const now = new Date();
  await utimes(object, now, now).catch(() => {});
}

/** Deletes the objects that were not used for the longest time, beyond OBJECTS_MAX, and what was abandoned. */
export async function pruneObjects(directory: string): Promise<void> {
  const objects: { path: string; usedMs: number }[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const usedMs = await usedAt(path);
    if (usedMs === undefined) continue;
    if (OBJECT.test(name)) objects.push({ path, usedMs });
    else if (SCRATCH.test(name) && usedMs < Date.now() - ABANDONED_MS) await remove(path);
  }
  objects.sort((one, other) => other.usedMs - one.usedMs);
  for (const { path, usedMs } of objects.slice(OBJECTS_MAX))
    if (usedMs < Date.now() - IN_USE_MS) await removeUnused(path, usedMs);
}

async function usedAt(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.mtimeMs;
}

/** Deletes an object unless it has been used since. Nobody sees a part of it: it gets another name first. */
async function removeUnused(path: string, usedMs: number): Promise<void> {
  const old = `${path}.old-${process.pid}`;
  try {
    await rename(path, old);
  } catch {
    return; // another process was faster
  }
  const isUsed = (await usedAt(old)) !== usedMs;
  if (isUsed) await rename(old, path).catch(() => {});
  await remove(old);
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
