/** A manifest: metadata of the users' own, one record a trace, from a JSON or CSV file. */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { parse } from 'csv-parse';
import { BigtraceError } from '../common/errors.ts';
import { checkColumnName, type UserColumn } from './traces-view.ts';

/** A JSON manifest is read whole; a CSV one of any size streams. */
const JSON_BYTES_MAX = 256 * 2 ** 20;
const BATCH_RECORDS = 10_000;

type ManifestRecord = Record<string, unknown>;
export type LabelledTrace = [address: string, labels: Map<string, string>];

/**
 * Batches of (address, labels). A record names its trace by `address`, or by `path` below `directory`
 * (an address that ends in `/`); all its other fields are labels.
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

/** The columns of a manifest, each of the narrowest type that all its values have. */
export async function columnsOf(file: string): Promise<UserColumn[]> {
  const types = new Map<string, UserColumn['type'] | undefined>();
  for await (const record of recordsOf(file)) {
    for (const [name, value] of Object.entries(record)) {
      if (name === 'address' || name === 'path') continue;
      types.set(checkColumnName(name), wider(types.get(name), value));
    }
  }
  return [...types].map(([name, type]) => ({ name, type: type ?? 'String', source: 'labels' }));
}

function wider(
  type: UserColumn['type'] | undefined,
  value: unknown,
): UserColumn['type'] | undefined {
  if (value === null || value === '' || type === 'String') return type;
  const text = String(value);
  if (/^-?\d{1,18}$/.test(text)) return type ?? 'Int64';
  return /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text) ? 'Float64' : 'String';
}

async function* recordsOf(file: string): AsyncGenerator<ManifestRecord> {
  if (/\.csv$/i.test(file)) {
    const parser = createReadStream(file).pipe(parse({ columns: true, bom: true }));
    try {
      for await (const record of parser) yield record as ManifestRecord;
    } catch (thrown) {
      throw invalid(file, messageOf(thrown));
    }
  } else if (/\.json$/i.test(file)) yield* jsonRecords(file);
  else throw invalid(file, 'its name must end in .csv or .json');
}

/** An array of objects, or an object whose `traces` is one. */
function jsonRecords(file: string): ManifestRecord[] {
  try {
    const { size } = statSync(file);
    if (size > JSON_BYTES_MAX)
      throw new Error(
        `it has ${size} bytes, the bound is ${JSON_BYTES_MAX}; a CSV file may be of any size`,
      );
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const list = Array.isArray(parsed) ? parsed : (parsed as { traces?: unknown }).traces;
    if (!Array.isArray(list))
      throw new Error('it must be an array of objects, or have one as "traces"');
    if (!list.every((one) => typeof one === 'object' && one !== null && !Array.isArray(one)))
      throw new Error('every record must be an object');
    return list as ManifestRecord[];
  } catch (thrown) {
    throw invalid(file, messageOf(thrown));
  }
}

function labelled(record: ManifestRecord, directory: string, where: string): LabelledTrace {
  const { address, path, ...rest } = record;
  const labels = new Map<string, string>();
  for (const [name, value] of Object.entries(rest)) {
    if (value === null || value === undefined) continue;
    labels.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  if (typeof address === 'string' && address !== '') return [address, labels];
  if (typeof path === 'string' && path !== '')
    return [directory + path.replace(/^\.?\//, ''), labels];
  throw invalid(where, 'it has neither an address nor a path');
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function invalid(where: string, why: string): BigtraceError {
  return new BigtraceError('invalid_option', `manifest ${where}: ${why}`);
}
