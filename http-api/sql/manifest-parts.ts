/** Reads what manifests have added to the catalog (catalog/manifest): visible columns, and presets. */
import type { Reader } from '../caller.ts';
import type { Preset } from '../contract/page.ts';

export interface ManifestColumn {
  visible: boolean;
  description: string;
}

/** The columns that manifests have added, by name. */
export async function manifestColumns(database: Reader): Promise<Map<string, ManifestColumn>> {
  const rows = await database.rows(
    `SELECT t.name, p.json
     FROM (SELECT DISTINCT name FROM bigtrace.trace_column_types WHERE source = 'labels') AS t
     LEFT JOIN (SELECT name, json FROM bigtrace.manifest_parts FINAL WHERE part = 'column') AS p ON p.name = t.name`,
  );
  return new Map(
    rows.map(([name, json]) => [
      name ?? '',
      json ? (JSON.parse(json) as ManifestColumn) : { visible: true, description: '' },
    ]),
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
