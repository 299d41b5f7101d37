/** Keeps the directories of archives that were used last. */
import { type Directory, MEMBERS_MAX } from './directory.ts';

/** Bound of the weights of all kept directories; a file that is no archive weighs 1. */
const WEIGHT_MAX = 2 * MEMBERS_MAX;

export class DirectoryCache {
  /** In the order of use. Undefined for a file that is no archive. */
  readonly #directories = new Map<string, Directory | undefined>();
  #weight = 0;

  /** Returns the directory of this generation of a path, which `read` reads if it is not kept. */
  async get(
    path: string,
    generation: string,
    read: () => Promise<Directory | undefined>,
  ): Promise<Directory | undefined> {
    const key = `${path}\0${generation}`;
    if (this.#directories.has(key)) {
      const kept = this.#directories.get(key);
      this.#directories.delete(key);
      this.#directories.set(key, kept);
      return kept;
    }
    const directory = await read();
    if (!this.#directories.has(key)) this.#keep(key, directory);
    return directory;
  }

  #keep(key: string, directory: Directory | undefined): void {
    this.#directories.set(key, directory);
    this.#weight += weightOf(directory);
    for (const [oldest, one] of this.#directories) {
      if (this.#weight <= WEIGHT_MAX) return;
      this.#directories.delete(oldest);
      this.#weight -= weightOf(one);
    }
  }
}

function weightOf(directory: Directory | undefined): number {
  return directory?.weight ?? 1;
}
