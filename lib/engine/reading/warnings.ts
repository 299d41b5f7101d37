/**
 * What was found when a trace was read, for scripts: `bigtrace_warnings()` is a JSON object of warnings and how
 * often each was seen, NULL where there are none. A function of the engine, so snapshots keep it and every script
 * may call it.
 */

const DEFINE = 'CREATE OR REPLACE PERFETTO FUNCTION bigtrace_warnings() RETURNS STRING AS SELECT ';

export function warningsSql(warnings: ReadonlyMap<string, number>): Uint8Array {
  const json = JSON.stringify(Object.fromEntries(warnings));
  return Buffer.from(DEFINE + (warnings.size === 0 ? 'NULL' : `'${json.replaceAll("'", "''")}'`));
}
