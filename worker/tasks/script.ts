/** Determines the properties of a script before it runs. */
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
  /** PerfettoSQL, or the summary specification if `isSummary`. */
  sql: Uint8Array;
  isSummary: boolean;
  /** SHA-256 of the script, in base64url. */
  digest: string;
}

/**
 * Returns the properties of a script. If it may include modules, it gets the traits of all `packages`, the
 * SQL packages beside the standard library.
 * @throws limit_exceeded if the script is longer than the maximum length of SQL
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
