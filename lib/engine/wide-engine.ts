/** The engine with 64-bit memory beside the usual one, for traces that need more than 4 GiB. */
import { BigtraceError } from '../common/errors.ts';
import type { Engine } from './engine.ts';
import { loadEngine } from './load-engine.ts';
import type { SqlPackage } from './script/sql-packages.ts';
import { hasMemory64 } from './wasm/wasm-abi.ts';

/** It is loaded when the first trace needs it. */
export class WideEngine {
  readonly #file: string;
  readonly #version: string;
  readonly #packages: readonly SqlPackage[];
  #engine: Promise<Engine> | undefined;

  private constructor(file: string, version: string, packages: readonly SqlPackage[]) {
    this.#file = file;
    this.#version = version;
    this.#packages = packages;
  }

  /** Returns undefined if there is no such file, or this Node cannot run it. */
  static of(
    file: string | undefined,
    { version }: Pick<Engine, 'version'>,
    packages: readonly SqlPackage[],
  ): WideEngine | undefined {
    return file === undefined || !hasMemory64()
      ? undefined
      : new WideEngine(file, version, packages);
  }

  /** @throws BigtraceError invalid_option: the file cannot be used, or is of another version */
  engine(): Promise<Engine> {
    this.#engine ??= this.#load().catch((thrown) => {
      this.#engine = undefined; // the file may be repaired
      throw thrown;
    });
    return this.#engine;
  }

  async #load(): Promise<Engine> {
    const engine = await loadEngine(this.#file, this.#packages);
    if (engine.version === this.#version) return engine;
    throw new BigtraceError(
      'invalid_option',
      `${this.#file} is ${engine.version}, the file beside it ${this.#version}: they must be of one version`,
    );
  }
}
