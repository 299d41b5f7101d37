/** Reads what manifests have added to the catalog (catalog/manifest): visible columns, and presets. */
import { clickHouseErrorType } from '../../lib/clickhouse/errors.ts';
import type { Reader } from '../caller.ts';
import type { Preset } from '../contract/page.ts';

export interface ManifestColumn {
  visible: boolean;
  description: string;
}

/** The columns that manifests have added, by name. */
export async function manifestColumns(database: Reader): Promise<Map<string, ManifestColumn>> {
  const added = `SELECT DISTINCT name FROM bigtrace.trace_column_types WHERE source = 'labels'`;
  const described = `SELECT name, json FROM bigtrace.manifest_parts FINAL WHERE part = 'column'`;
  const [names, parts] = await Promise.all([
    database.rows(added),
    database.rows(described).catch(noneIfOlder),
  ]);
  const jsonOf = new Map(parts.map(([name, json]) => [name, json]));
  return new Map(
    names.map(([name]) => {
      const json = jsonOf.get(name);
      const said = json ? (JSON.parse(json) as ManifestColumn) : { visible: true, description: '' };
      return [name ?? '', said];
    }),
  );
}

/** @returns presets with these and those of manifests; one of a manifest replaces the one with its ID */
export async function withManifestPresets(
  presets: readonly Preset[],
  database: Reader,
): Promise<Preset[]> {
  const rows = await database.rows(
    `SELECT json FROM bigtrace.manifest_parts FINAL WHERE part = 'preset' ORDER BY written_at, name`,
  );
  const all = new Map(presets.map((preset) => [preset.id, preset]));
  for (const [json] of rows) {
    const preset = JSON.parse(json ?? '') as Preset;
    all.set(preset.id, preset);
  }
  return [...all.values()];
}

/** Whether the database is of an older version, which has no table of manifest parts. */
export function lacksParts(thrown: unknown): boolean {
  return clickHouseErrorType(thrown) === 'UNKNOWN_TABLE';
}

function noneIfOlder(thrown: unknown): [] {
  if (lacksParts(thrown)) return [];
  throw thrown;
}
