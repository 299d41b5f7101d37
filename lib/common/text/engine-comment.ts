/**
 * The engine that a script asks for, where a fleet has several: `/*bigtrace: engine=NAME *\/` at its beginning. NAME is
 * the name of an installed engine or, as `v52` or `v52.0`, its version.
 */
import { BigtraceError } from '../errors.ts';

/** The comment must end within this many bytes. */
const COMMENT_BYTES_MAX = 1024;
const COMMENT = /^\s*\/\*\s*bigtrace:(.*?)\*\//s;
const BEGINNING = /^\s*\/\*\s*bigtrace:/;
const SETTING = /^\s*engine\s*=\s*([A-Za-z0-9][A-Za-z0-9._-]{0,99})\s*$/;
const VERSION = /v\d+\.\d+(-[0-9a-f]+)?/;

/** Returns the name in the script's comment; undefined if it has none. @throws invalid_option if it is malformed */
export function engineNamed(sql: Uint8Array): string | undefined {
  const { buffer, byteOffset, byteLength } = sql;
  const head = Buffer.from(buffer, byteOffset, Math.min(byteLength, COMMENT_BYTES_MAX));
  const text = head.toString('latin1');
  if (!BEGINNING.test(text)) return undefined;
  const name = SETTING.exec(COMMENT.exec(text)?.[1] ?? '')?.[1];
  if (name !== undefined) return name;
  throw new BigtraceError(
    'invalid_option',
    'the comment /*bigtrace: …*/ at the beginning of the script must be of the form /*bigtrace: engine=NAME */',
  );
}

/** Returns the script with the comment that names the engine. */
export function withEngineNamed(sql: Uint8Array, name: string): Buffer {
  return Buffer.concat([Buffer.from(`/*bigtrace: engine=${name} */ `), sql]);
}

export interface EngineNames {
  /** The name under which the worker uses the engine. */
  engineName: string;
  /** Begins with the version that TraceProcessor reports, such as "Perfetto v55.3-…". */
  engine: string;
}

/** Whether `name` stands for this engine. */
export function namesEngine(name: string, { engineName, engine }: EngineNames): boolean {
  const version = VERSION.exec(engine)?.[0];
  if (name === engineName || name === version) return true;
  return version?.startsWith(`${name}.`) === true || version?.startsWith(`${name}-`) === true;
}

/** Names an engine for messages: `bundled (Perfetto v55.3-…)`. */
export function engineText({ engineName, engine }: EngineNames): string {
  const [version = ''] = /^Perfetto \S+/.exec(engine) ?? [engine];
  return engineName === '' ? version : `${engineName} (${version})`;
}
