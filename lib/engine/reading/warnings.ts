/**
 * Lets scripts read the warnings of a load: `bigtrace_warnings()` returns a JSON object of warnings and their counts,
 * or NULL if there are none. It is a function in the engine, so snapshots contain it and every script can call it.
 */

const DEFINE = 'CREATE OR REPLACE PERFETTO FUNCTION bigtrace_warnings() RETURNS STRING AS SELECT ';

export function warningsSql(warnings: ReadonlyMap<string, number>): Uint8Array {
  const json = JSON.stringify(Object.fromEntries(warnings));
  return Buffer.from(DEFINE + (warnings.size === 0 ? 'NULL' : `'${json.replaceAll("'", "''")}'`));
}
