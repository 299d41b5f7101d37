/** Reads a manifest: a JSON, CSV or SQLite file with additional metadata, one record per trace. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { LosslessNumber } from 'lossless-json';
import { canonicalAddress } from '../../lib/common/addresses/canonical-address.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { kindOfJsonNumber, kindOfText, type ValueKind } from '../columns/column-type.ts';
import { checkColumnName, isOwnName } from '../columns/traces-view.ts';
import type { FoundColumn } from '../columns/user-columns.ts';
import {
  type JsonManifest,
  type ManifestPart,
  type ManifestRecord,
  readJsonManifest,
  textOf,
} from './json-manifest.ts';
import { sqliteRecords } from './sqlite-manifest.ts';

const BATCH_RECORDS = 10_000;

interface CsvRow {
  record: ManifestRecord;
  info: { error: Error | undefined };
}

export type LabelledTrace = [address: string, labels: Map<string, string>];

/**
 * Yields batches of (address, labels). A record names its trace by `address`, or by `path` or `file_path` relative to
 * `directory` (an address ending in `/`); the address is returned in its canonical form. The other fields are labels,
 * with their text as in the file.
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
export async function columnsOf(file: string): Promise<FoundColumn[]> {
  const kindOfString = isCsv(file) ? kindOfText : (): ValueKind => 'text';
  const columns = new Map<string, Set<ValueKind>>();
  for await (const record of recordsOf(file)) {
    for (const [name, value] of Object.entries(labelFields(record))) {
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

/** What the manifest says about columns, and its presets. Only a JSON file has these. */
export function partsOf(file: string): ManifestPart[] {
  return isJson(file) ? jsonManifest(file).parts : [];
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

function isJson(file: string): boolean {
  return /\.json$/i.test(file);
}

async function* recordsOf(file: string): AsyncGenerator<ManifestRecord> {
  if (isCsv(file)) yield* csvRecords(file);
  else if (isJson(file)) yield* jsonManifest(file).records;
  else if (/\.db$/i.test(file)) yield* databaseRecords(file);
  else throw invalid(file, 'its name must end in .csv, .json or .db (SQLite)');
}

async function* databaseRecords(file: string): AsyncGenerator<ManifestRecord> {
  try {
    yield* sqliteRecords(file);
  } catch (thrown) {
    throw invalid(file, messageOf(thrown));
  }
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
    // A file may mix line ends, for example after an editor on another system appended lines.
    record_delimiter: ['\r\n', '\n', '\r'],
    columns: (names: string[]) => distinct(names.map(field)),
    cast: (value, { header }) => (header ? value : field(value)),
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    // The parser checks the number of fields before it skips lines of blanks, so it is checked below.
    relax_column_count: true,
    info: true,
  });
  const source = Readable.from(withoutByteOrderMarks(createReadStream(file)));
  source.once('error', (error) => parser.destroy(error));
  try {
    for await (const { record, info } of source.pipe(parser) as AsyncIterable<CsvRow>) {
      if (info.error !== undefined) throw info.error;
      yield record;
    }
  } catch (thrown) {
    throw invalid(file, messageOf(thrown));
  } finally {
    source.destroy();
  }
}

/**
 * Removes byte order marks at the start of lines: concatenated files have them in the middle as well, and the CSV parser
 * takes a quote after one as text. @throws Error when the file is UTF-16
 */
async function* withoutByteOrderMarks(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let unsentText = '\n'; // the start of the file is the start of a line
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst && /^(\xff\xfe|\xfe\xff)/.test(chunk.toString('latin1', 0, 2)))
      throw new Error('it is UTF-16 text; save it as UTF-8');
    const text = (unsentText + chunk.toString('latin1')).replace(/([\r\n])(\xef\xbb\xbf)+/g, '$1');
    const end = Math.max(text.length - 4, 1); // a line end and its mark may be cut by the end of the chunk
    yield Buffer.from(text.slice(isFirst ? 1 : 0, end), 'latin1');
    unsentText = text.slice(end);
    isFirst = false;
  }
  yield Buffer.from(unsentText, 'latin1');
}

/** @throws Error when two columns have the same name: the parser would use the last one */
function distinct(names: string[]): string[] {
  const twice = names.find((name, at) => name !== '' && names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`it has two columns ${twice}`);
  return names;
}

function jsonManifest(file: string): JsonManifest {
  try {
    return readJsonManifest(file);
  } catch (thrown) {
    throw invalid(file, messageOf(thrown));
  }
}

function withoutByteOrderMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/**
 * The fields of a record that are labels. A record with `file_path` is of Perfetto's own BigTrace server: it repeats what
 * the catalog reads from the trace itself, and `link` leads to that server.
 */
function labelFields(record: ManifestRecord): ManifestRecord {
  const { address, path, ...rest } = record;
  if (rest['file_path'] === undefined) return rest;
  const fields = Object.entries(rest).filter(([name]) => name !== 'link' && !isOwnName(name));
  return Object.fromEntries(fields);
}

function labelled(record: ManifestRecord, directory: string, where: string): LabelledTrace {
  const labels = new Map<string, string>();
  for (const [name, value] of Object.entries(labelFields(record))) {
    if (value === null || value === undefined) continue;
    labels.set(name, textOf(value));
  }
  const { address, path, file_path } = record;
  if (isNamed(address)) return [canonical(address, where), labels];
  const relative = [path, file_path].find(isNamed);
  if (relative === undefined) throw invalid(where, 'it has no address, path or file_path');
  return [canonical(directory + relative.replace(/^\.?\//, ''), where), labels];
}

function isNamed(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Returns the address as the catalog stores it. @throws invalid_option if only the store could resolve it */
function canonical(text: string, where: string): string {
  try {
    const { address, needsStore } = canonicalAddress(text, []);
    if (!needsStore || !text.startsWith('/local/')) return address;
  } catch (thrown) {
    throw invalid(where, messageOf(thrown));
  }
  throw invalid(
    where,
    `${printable(text)}: name the trace by its path below the directory of --traces, without ..`,
  );
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function invalid(where: string, problem: string): BigtraceError {
  return new BigtraceError('invalid_option', `manifest ${where}: ${problem}`);
}
