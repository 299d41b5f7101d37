/** Presets: the example queries that the page offers, from presets.yaml and a file of the operator. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Preset } from '../contract/page.ts';
import builtin from './presets.yaml?raw';

const REQUIRED = ['id', 'category', 'name', 'description', 'perfettoSql'] as const;
const TYPES: Record<string, (value: unknown) => boolean> = {
  ...Object.fromEntries([...REQUIRED, 'icon', 'traceOrderBy'].map((key) => [key, isText])),
  limit: (value) => Number.isInteger(value) && Number(value) > 0,
  materialized: (value) => typeof value === 'boolean',
  settings: Array.isArray,
  traceFilters: Array.isArray,
  traceMetadataColumns: (value) => Array.isArray(value) && value.every(isText),
};

/** @param file additional presets; one with the ID of a built-in preset replaces it @throws invalid_option */
export function loadPresets(file: string | undefined): Preset[] {
  const presets = new Map(parsePresets(builtin, 'presets.yaml').map((one) => [one.id, one]));
  if (file === undefined) return [...presets.values()];
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new BigtraceError('invalid_option', `--presets: ${String(thrown)}`);
  }
  for (const one of parsePresets(text, `--presets ${file}`)) presets.set(one.id, one);
  return [...presets.values()];
}

export function parsePresets(text: string, where: string): Preset[] {
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (thrown) {
    throw new BigtraceError('invalid_option', `${where}: ${String(thrown)}`);
  }
  if (!Array.isArray(parsed))
    throw new BigtraceError('invalid_option', `${where}: it must be a list of presets`);
  return parsed.map((one: unknown, at) => checked(one, `${where}: preset ${at + 1}`));
}

function checked(one: unknown, where: string): Preset {
  if (typeof one !== 'object' || one === null)
    throw new BigtraceError('invalid_option', `${where} must have ${REQUIRED.join(', ')}`);
  const entries = Object.entries(one);
  const lacking = REQUIRED.filter((key) => !Object.hasOwn(one, key));
  if (lacking.length > 0)
    throw new BigtraceError('invalid_option', `${where} lacks ${lacking.join(', ')}`);
  for (const [key, value] of entries) {
    const fits = TYPES[key];
    if (fits === undefined)
      throw new BigtraceError(
        'invalid_option',
        `${where}: ${key} is none of ${Object.keys(TYPES).join(', ')}`,
      );
    if (!fits(value))
      throw new BigtraceError('invalid_option', `${where}: ${key} is of the wrong type`);
  }
  return one as Preset;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
