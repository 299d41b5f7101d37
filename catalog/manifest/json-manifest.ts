/**
 * Reads a JSON manifest: an array of records, or an object with such an array as `traces`. Manifests of Perfetto's own
 * BigTrace server have three further parts: the names of experiments, descriptions of columns, and presets.
 */
import { readFileSync, statSync } from 'node:fs';
import { LosslessNumber, parse as parseJson, stringify } from 'lossless-json';

/** Bound for JSON manifests, which are read as a whole. CSV manifests are streamed and may have any size. */
const JSON_BYTES_MAX = 256 * 2 ** 20;
/** Bound for experiments, descriptions of columns, and presets, each. */
const PART_ENTRIES_MAX = 10_000;

export type ManifestRecord = Record<string, unknown>;

/** What a manifest says about a column or a preset, as JSON. */
export interface ManifestPart {
  part: 'column' | 'preset';
  /** Name of the column, or ID of the preset. */
  name: string;
  json: string;
}

export interface JsonManifest {
  records: ManifestRecord[];
  parts: ManifestPart[];
}

/** Fields of an experiment that its traces get. */
const EXPERIMENT_FIELDS = [
  ...['experiment_name', 'control_id', 'control_name'],
  ...['is_experiment_denied', 'is_control_denied'],
];
const PRESET_TEXTS = ['id', 'category', 'name', 'description', 'perfettoSql', 'icon'];

/** @throws Error with the reason */
export function readJsonManifest(file: string): JsonManifest {
  const { size } = statSync(file);
  if (size > JSON_BYTES_MAX)
    throw new Error(
      `it has ${size} bytes, the bound is ${JSON_BYTES_MAX}; a CSV file may be of any size`,
    );
  const parsed: unknown = parseJson(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  const whole = isRecord(parsed) ? parsed : {};
  const list = Array.isArray(parsed) ? parsed : whole['traces'];
  if (!Array.isArray(list))
    throw new Error('it must be an array of objects, or an object with such an array as "traces"');
  if (!list.every(isRecord)) throw new Error('every record must be an object');
  const experiments = experimentsOf(listIn(whole, 'experiments'));
  return {
    records: list.map((record) => withExperiment(record, experiments)),
    parts: [
      ...listIn(whole, 'schema').map(columnPart),
      ...listIn(whole, 'presets').map(presetPart),
    ],
  };
}

/** Numbers as written in the file; arrays and objects as JSON. */
export function textOf(value: NonNullable<unknown>): string {
  if (value instanceof LosslessNumber) return value.value;
  return typeof value === 'object' ? (stringify(value) ?? '') : String(value);
}

function isRecord(value: unknown): value is ManifestRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof LosslessNumber)
  );
}

function listIn(whole: ManifestRecord, key: string): ManifestRecord[] {
  const list = whole[key] ?? [];
  if (!Array.isArray(list) || !list.every(isRecord))
    throw new Error(`"${key}" must be an array of objects`);
  if (list.length > PART_ENTRIES_MAX)
    throw new Error(`"${key}" has ${list.length} entries, the bound is ${PART_ENTRIES_MAX}`);
  return list;
}

/** The value of a field that is written as experiment_id or as experimentId. */
function fieldOf(record: ManifestRecord, name: string): unknown {
  return record[name] ?? record[name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())];
}

function experimentsOf(list: readonly ManifestRecord[]): Map<string, ManifestRecord> {
  const experiments = new Map<string, ManifestRecord>();
  for (const [at, experiment] of list.entries()) {
    const id = fieldOf(experiment, 'experiment_id') ?? undefined;
    if (id === undefined)
      throw new Error(`"experiments", entry ${at + 1}: it has no experiment_id`);
    const fields = EXPERIMENT_FIELDS.flatMap((name): [string, unknown][] => {
      const value = fieldOf(experiment, name);
      return value === undefined ? [] : [[name, value]];
    });
    experiments.set(textOf(id), Object.fromEntries(fields));
  }
  return experiments;
}

/** Adds what the manifest says about the experiment of the trace. */
function withExperiment(
  record: ManifestRecord,
  experiments: ReadonlyMap<string, ManifestRecord>,
): ManifestRecord {
  const id = record['experiment_id'] ?? undefined;
  const experiment = id === undefined ? undefined : experiments.get(textOf(id));
  return experiment === undefined ? record : { ...experiment, ...record };
}

function columnPart(column: ManifestRecord, at: number): ManifestPart {
  const { name, defaultVisible, description } = column;
  if (typeof name !== 'string' || name === '')
    throw new Error(`"schema", entry ${at + 1}: it has no name`);
  const said = {
    visible: defaultVisible !== false,
    description: typeof description === 'string' ? description : '',
  };
  return { part: 'column', name, json: JSON.stringify(said) };
}

function presetPart(preset: ManifestRecord, at: number): ManifestPart {
  const texts = PRESET_TEXTS.map((key): [string, string] => {
    const value = fieldOf(preset, key) ?? '';
    if (typeof value !== 'string')
      throw new Error(`"presets", entry ${at + 1}: ${key} must be a text`);
    return [key, value];
  });
  const lacking = texts.find(([key, value]) => /^(id|name|perfettoSql)$/.test(key) && value === '');
  if (lacking !== undefined) throw new Error(`"presets", entry ${at + 1}: it has no ${lacking[0]}`);
  const given = Object.fromEntries(texts.filter(([key, value]) => key !== 'icon' || value !== ''));
  return { part: 'preset', name: given['id'] ?? '', json: JSON.stringify(given) };
}
