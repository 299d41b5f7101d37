/** What is known of a script before it runs. */
import { createHash } from 'node:crypto';
import { checkSqlLength } from '../../lib/common/text/text-bounds.ts';
import {
  joinTraits,
  mayInclude,
  type PackageFacts,
  type ScriptTraits,
  scriptTraits,
  summarySpecOf,
  summaryTraits,
} from '../../lib/engine/index.ts';

export interface ScriptFacts extends ScriptTraits {
  /** PerfettoSQL, or the specification of a summary. */
  sql: Uint8Array;
  isSummary: boolean;
  /** Names the script. */
  digest: string;
}

/**
 * `packages`: what the worker has beside the standard library.
 * @throws limit_exceeded for a script that is longer than SQL may be
 */
export function scriptFacts(sql: Uint8Array, packages: readonly PackageFacts[]): ScriptFacts {
  checkSqlLength('SQL', sql);
  const digest = createHash('sha256').update(sql).digest('base64url');
  const spec = summarySpecOf(sql);
  const own = spec === undefined ? scriptTraits(sql) : summaryTraits(spec);
  const includes = packages.length > 0 && (spec !== undefined || mayInclude(sql));
  const included = includes ? packages.map(({ traits }) => traits) : [];
  const traits = included.reduce(joinTraits, own);
  return { sql: spec ?? sql, isSummary: spec !== undefined, digest, ...traits };
}
