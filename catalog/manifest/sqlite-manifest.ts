/** Reads a SQLite file as Perfetto's trace_fetch writes it (`metadata.db`): its table `traces` has a row for each trace. */
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { LosslessNumber } from 'lossless-json';
import sqlite from 'node-sqlite3-wasm';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { doubleText } from '../../lib/common/text/double-text.ts';
import type { ManifestRecord } from './json-manifest.ts';

/** SQLite reads a copy of the file, because it makes a lock beside what it reads. */
const BYTES_MAX = 256 * 2 ** 20;

/**
 * Yields the rows of the table `traces`. A row without `file_path` names its trace by `absolute_local_file_path`, below
 * the directory of the file.
 * @throws Error with the reason
 */
export function* sqliteRecords(file: string): Generator<ManifestRecord> {
  const { size } = statSync(file);
  if (size > BYTES_MAX)
    throw new Error(
      `it has ${size} bytes, the bound is ${BYTES_MAX}; a CSV file may be of any size`,
    );
  const log = `${file}-wal`;
  if (hasBytes(log))
    throw new Error(`${log} has changes that are not in it; run PRAGMA wal_checkpoint(TRUNCATE)`);
  const journal = `${file}-journal`;
  if (hasBytes(journal))
    throw new Error(
      `${journal} says that a change of it has not ended; wait, or open it with sqlite3, which takes the change back`,
    );
  const copies = mkdtempSync(join(tmpdir(), 'bigtrace-manifest-'));
  try {
    const copy = join(copies, 'metadata.db');
    copyFileSync(file, copy);
    for (const record of rowsOf(copy)) yield withPath(record, dirname(file));
  } finally {
    rmSync(copies, { recursive: true });
  }
}

function hasBytes(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function* rowsOf(file: string): Generator<ManifestRecord> {
  const database = new sqlite.Database(file, { readOnly: true, fileMustExist: true });
  try {
    const names = database
      .all("SELECT name FROM pragma_table_info('traces')")
      .map(({ name }) => String(name));
    if (names.length === 0) throw new Error('it has no table traces');
    const columns = names.map((name, at) => {
      const column = `"${name.replaceAll('"', '""')}"`;
      return `${column} AS v${at}, typeof(${column}) AS t${at}`;
    });
    const statement = database.prepare(`SELECT ${columns.join(', ')} FROM traces`);
    for (const row of statement.iterate())
      yield Object.fromEntries(
        names.map((name, at) => [name, fieldOf(row[`v${at}`], row[`t${at}`])]),
      );
  } finally {
    database.close();
  }
}

function fieldOf(value: unknown, type: unknown): unknown {
  if (type === 'integer') return new LosslessNumber(String(value));
  if (type === 'real') return realOf(Number(value));
  return value instanceof Uint8Array ? textFromBytes(Buffer.from(value)) : value;
}

/** A number that is of the type REAL, although it may have no fraction. */
function realOf(value: number): unknown {
  const text = doubleText(value);
  if (!Number.isFinite(value)) return text;
  return new LosslessNumber(/[.e]/.test(text) ? text : `${text}.0`);
}

/** @throws Error if the trace is not below the directory */
function withPath(
  { absolute_local_file_path: absolute, ...record }: ManifestRecord,
  directory: string,
): ManifestRecord {
  const given = record['file_path'];
  if ((typeof given === 'string' && given !== '') || typeof absolute !== 'string') return record;
  const path = relative(resolve(directory), absolute);
  if (path === '' || path.startsWith('..'))
    throw new Error(
      `${absolute} is not below ${resolve(directory)}; move the file to the directory of its traces`,
    );
  return { ...record, file_path: path };
}
