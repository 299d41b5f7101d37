/** Which runtime executes an engine: V8, or the addon that `bigtrace engine compile` made of it. */
import { BigtraceError } from '../../common/errors.ts';
import type { EngineCode } from '../wasm/module-instance.ts';
import { findAddon } from './addon-file.ts';

export const ENGINE_RUNTIMES = ['v8', 'native', 'auto'] as const;

export interface RuntimeChoice {
  /** `auto`: native if there is an addon of the wasm file. */
  runtime: (typeof ENGINE_RUNTIMES)[number];
  /** Directory of the addons. */
  addons: string;
  /** Told why `auto` is V8. */
  onFallback?: (problem: string) => void;
}

export const V8_RUNTIME: RuntimeChoice = { runtime: 'v8', addons: '' };

/**
 * @param digest SHA-256 of the wasm file, hex
 * @throws BigtraceError invalid_option: there is no addon, but the choice is `native`
 */
export async function engineCode(
  bytes: Uint8Array,
  { digest, is64 }: { digest: string; is64: boolean },
  { runtime, addons, onFallback }: RuntimeChoice,
): Promise<EngineCode> {
  if (runtime !== 'v8' && !is64) {
    const found = findAddon(addons, digest);
    if ('addon' in found) return { runtime: 'native', addon: found.addon };
    if (runtime === 'native')
      throw new BigtraceError(
        'invalid_option',
        `--engine-runtime native: ${found.problem}; \`bigtrace engine compile\` makes it`,
      );
    onFallback?.(found.problem);
  }
  return { runtime: 'v8', module: await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>) };
}
