/** The engine with 64-bit memory beside the usual one, for traces that need more than 4 GiB. */
import { BigtraceError } from '../common/errors.ts';
import type { Engine } from './engine.ts';
import { hasMemory64 } from './wasm/wasm-abi.ts';

/** Loads an engine from its wasm file. */
export type LoadEngineFile = (file: string) => Promise<Engine>;

/** It is loaded when the first trace needs it. */
export class WideEngine {
  readonly #file: string;
  readonly #version: string;
  readonly #loadFile: LoadEngineFile;
  #engine: Promise<Engine> | undefined;

  private constructor(file: string, version: string, loadFile: LoadEngineFile) {
    this.#file = file;
    this.#version = version;
    this.#loadFile = loadFile;
  }

  /** Returns undefined if there is no such file, or this Node cannot run it. */
  static of(
    file: string | undefined,
    { version }: Pick<Engine, 'version'>,
    loadFile: LoadEngineFile,
  ): WideEngine | undefined {
    return file === undefined || !hasMemory64()
      ? undefined
      : new WideEngine(file, version, loadFile);
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
    const engine = await this.#loadFile(this.#file);
    if (engine.version === this.#version) return engine;
    throw new BigtraceError(
      'invalid_option',
      `${this.#file} is ${engine.version}, the file beside it ${this.#version}: they must be of one version`,
    );
  }
}
