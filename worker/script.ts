/** What is known of a script before it runs. */
import { createHash } from 'node:crypto';
import { type ScriptTraits, scriptTraits } from '../trace-processor/index.ts';

export interface ScriptFacts extends ScriptTraits {
  sql: Uint8Array;
  /** Names the script. */
  digest: string;
}

export function scriptFacts(sql: Uint8Array): ScriptFacts {
  const digest = createHash('sha256').update(sql).digest('base64url');
  return { sql, digest, ...scriptTraits(sql) };
}
