/** Reads a manifest: a JSON or CSV file with additional metadata, one record per trace. */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { parse } from 'csv-parse';
import { LosslessNumber, parse as parseJson, stringify } from 'lossless-json';
import { BigtraceError } from '../../lib/common/errors.ts';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { kindOfJsonNumber, kindOfText, type ValueKind } from '../columns/column-type.ts';
import { checkColumnName } from '../columns/traces-view.ts';
import type { SeenColumn } from '../columns/user-columns.ts';

/** Bound for JSON manifests, which are read as a whole. CSV manifests are streamed and may have any size. */
const JSON_BYTES_MAX = 256 * 2 ** 20;
const BATCH_RECORDS = 10_000;

type ManifestRecord = Record<string, unknown>;
export type LabelledTrace = [address: string, labels: Map<string, string>];

/**
 * Yields batches of (address, labels). A record names its trace by `address`, or by `path` relative to `directory` (an
 * address ending in `/`). All other fields are labels, with their text as in the file.
 * @throws invalid_option naming the file and the record
 */
export async function* labelsOf(file: string, directory: string): AsyncGenerator<LabelledTrace[]> {
  let batch: LabelledTrace[] = [];
  let number = 0;
  for await (const record of recordsOf(file)) {
    number += 1;
    batch.push(labelled(record, directory, `${file}, record ${number}`));
    if (batch.length < BATCH_RECORDS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
  if (number === 0) throw invalid(file, 'it has no records');
}

/** Returns the columns of a manifest with the kinds of their values. */
export async function columnsOf(file: string): Promise<SeenColumn[]> {
  const kindOfString = isCsv(file) ? kindOfText : (): ValueKind => 'text';
  const columns = new Map<string, Set<ValueKind>>();
  for await (const record of recordsOf(file)) {
    for (const [name, value] of Object.entries(record)) {
      if (name === 'address' || name === 'path') continue;
      const kinds = columns.get(name) ?? new Set();
      columns.set(checkColumnName(name), kinds);
      const kind = kindOf(value, kindOfString);
      if (kind !== undefined) kinds.add(kind);
    }
  }
  return [...columns].map(([name, kinds]) => ({
    name,
    source: 'labels',
    kinds: kinds.size === 0 ? new Set<ValueKind>(['text']) : kinds,
  }));
}

/** Returns undefined for an empty value, which fits any type. */
function kindOf(value: unknown, kindOfString: (text: string) => ValueKind): ValueKind | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  if (value instanceof LosslessNumber) return kindOfJsonNumber(value.value);
  return typeof value === 'string' ? kindOfString(value) : 'text';
}

function isCsv(file: string): boolean {
  return /\.csv$/i.test(file);
}

async function* recordsOf(file: string): AsyncGenerator<ManifestRecord> {
  if (isCsv(file)) yield* csvRecords(file);
  else if (/\.json$/i.test(file)) yield* jsonRecords(file);
  else throw invalid(file, 'its name must end in .csv or .json');
}

/**
 * Reads CSV records and skips lines without values. Decoding as latin1 preserves all bytes, because file names may
 * contain any.
 */
async function* csvRecords(file: string): AsyncGenerator<ManifestRecord> {
  const field = (latin1: string): string =>
    withoutByteOrderMark(textFromBytes(Buffer.from(latin1, 'latin1')));
  const parser = parse({
    encoding: 'latin1',
    columns: (names: string[]) => names.map(field),
    cast: (value, { header }) => (header ? value : field(value)),
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
  });
  const source = createReadStream(file);
  source.once('error', (error) => parser.destroy(error));
  try {
    for await (const record of source.pipe(parser)) yield record as ManifestRecord;
  } catch (thrown) {
    throw invalid(file, messageOf(thrown));
  } finally {
    source.destroy();
  }
}

/** Accepts an array of objects, or an object with such an array in `traces`. */
function jsonRecords(file: string): ManifestRecord[] {
  try {
    const { size } = statSync(file);
    if (size > JSON_BYTES_MAX)
      throw new Error(
        `it has ${size} bytes, the bound is ${JSON_BYTES_MAX}; a CSV file may be of any size`,
      );
    const parsed: unknown = parseJson(withoutByteOrderMark(readFileSync(file, 'utf8')));
    const list = Array.isArray(parsed) ? parsed : (parsed as { traces?: unknown } | null)?.traces;
    if (!Array.isArray(list))
      throw new Error('it must be an array of objects, or have one as "traces"');
    if (!list.every(isRecord)) throw new Error('every record must be an object');
    return list as ManifestRecord[];
  } catch (thrown) {
    throw invalid(file, messageOf(thrown));
  }
}

function isRecord(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof LosslessNumber)
  );
}

function withoutByteOrderMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function labelled(record: ManifestRecord, directory: string, where: string): LabelledTrace {
  const { address, path, ...rest } = record;
  const labels = new Map<string, string>();
  for (const [name, value] of Object.entries(rest)) {
    if (value === null || value === undefined) continue;
    labels.set(name, textOf(value));
  }
  if (typeof address === 'string' && address !== '') return [address, labels];
  if (typeof path === 'string' && path !== '')
    return [directory + path.replace(/^\.?\//, ''), labels];
  throw invalid(where, 'it has neither an address nor a path');
}

/** Numbers as written in the file; arrays and objects as JSON. */
function textOf(value: NonNullable<unknown>): string {
  if (value instanceof LosslessNumber) return value.value;
  return typeof value === 'object' ? (stringify(value) ?? '') : String(value);
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function invalid(where: string, why: string): BigtraceError {
  return new BigtraceError('invalid_option', `manifest ${where}: ${why}`);
}
