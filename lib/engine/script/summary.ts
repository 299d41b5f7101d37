/**
 * Converts summaries of a trace (Perfetto's trace-based metrics v2; protos/perfetto/trace_summary/ of v55) to rows:
 * one for each row of each metric. Columns: `metric_id`; `dimensions`, a JSON object in the order of the
 * specification, followed by the columns of interned dimensions; `value`, a double.
 */

import { BigtraceError } from '../../common/errors.ts';
import { textFromBytes } from '../../common/text/byte-text.ts';
import {
  eachField,
  WIRE_FIXED64,
  type WireReader,
  type WrittenCell,
  writeQueryResult,
} from '../../query-result/index.ts';

const COLUMNS = ['metric_id', 'dimensions', 'value'];
const RESULT_CHARS = 2 ** 19;
/** Approximate size of a row besides its `dimensions`. */
const ROW_CHARS = 16;

/** Converts an encoded `TraceSummary` to encoded QueryResults. @throws BigtraceError sql_failed: it has no metric */
export function* summaryResults(summary: Uint8Array): Generator<Buffer> {
  const bundles: Uint8Array[] = [];
  eachField(summary, (field, reader) => {
    if (field === 3) bundles.push(reader.bytes());
  });
  if (bundles.length === 0)
    throw new BigtraceError('sql_failed', 'the summary specification has no metric');
  let names = COLUMNS;
  let rows: WrittenCell[][] = [];
  let chars = 0;
  for (const bundle of bundles)
    for (const row of bundleRows(bundle)) {
      if (chars > RESULT_CHARS) {
        yield writeQueryResult(names, rows, false);
        names = [];
        rows = [];
        chars = 0;
      }
      rows.push(row);
      chars += (row[1]?.length ?? 0) + ROW_CHARS;
    }
  yield writeQueryResult(names, rows, true);
}

type SummaryRow = [metricId: string, dimensions: string, value: number | null];

/** Yields the rows of a `TraceMetricV2Bundle`: one for each of its rows and metrics. */
function* bundleRows(bundle: Uint8Array): Generator<SummaryRow> {
  const rows: Uint8Array[] = [];
  const specs: Spec[] = [];
  const interned: Uint8Array[] = [];
  eachField(bundle, (field, reader) => {
    if (field === 2) rows.push(reader.bytes());
    else if (field === 3) specs.push(readSpec(reader.bytes()));
    else if (field === 4) interned.push(reader.bytes());
  });
  const [first] = specs;
  if (first === undefined) return;
  const joined = first.interned.map((spec, at) => internedValues(spec, interned[at]));
  for (const row of rows) {
    const values: (number | null)[] = [];
    const dimensions: string[] = [];
    eachField(row, (field, reader) => {
      if (field === 1) values.push(readValue(reader.bytes()));
      else if (field === 2) dimensions.push(jsonOf(reader.bytes()));
    });
    const fields = first.dimensions.map((name, at) => jsonField(name, dimensions[at] ?? 'null'));
    for (const { key, byKey } of joined)
      fields.push(...(byKey.get(dimensions[first.dimensions.indexOf(key)] ?? '') ?? []));
    const json = `{${fields.join(',')}}`;
    for (const [at, { id }] of specs.entries()) yield [id, json, values[at] ?? null];
  }
}

/** The part of a `TraceMetricV2Spec` that names its metric and dimensions. */
interface Spec {
  id: string;
  dimensions: string[];
  interned: InternedSpec[];
}

interface InternedSpec {
  key: string;
  columns: string[];
}

function readSpec(bytes: Uint8Array): Spec {
  const spec: Spec = { id: '', dimensions: [], interned: [] };
  eachField(bytes, (field, reader) => {
    if (field === 1) spec.id = text(reader);
    else if (field === 2) spec.dimensions.push(text(reader));
    else if (field === 5) spec.dimensions.push(nameIn(reader));
    else if (field === 11) spec.interned.push(readInternedSpec(reader.bytes()));
  });
  return spec;
}

function readInternedSpec(bytes: Uint8Array): InternedSpec {
  const spec: InternedSpec = { key: '', columns: [] };
  eachField(bytes, (field, reader) => {
    if (field === 1) spec.key = nameIn(reader);
    else if (field === 2) spec.columns.push(nameIn(reader));
  });
  return spec;
}

/** Returns the JSON fields of interned dimensions, by the JSON value of the dimension that is their key. */
function internedValues(
  { key, columns }: InternedSpec,
  bundle: Uint8Array = new Uint8Array(),
): { key: string; byKey: Map<string, string[]> } {
  const byKey = new Map<string, string[]>();
  eachField(bundle, (field, rows) => {
    if (field !== 2) return;
    let own = '';
    const values: string[] = [];
    eachField(rows.bytes(), (inRow, reader) => {
      if (inRow === 1) own = jsonOf(reader.bytes());
      else if (inRow === 2) values.push(jsonOf(reader.bytes()));
    });
    const fields = columns.map((name, at) => jsonField(name, values[at] ?? 'null'));
    byKey.set(own, fields);
  });
  return { key, byKey };
}

/** Reads a `Value`: a double or null. */
function readValue(bytes: Uint8Array): number | null {
  let value: number | null = null;
  eachField(bytes, (field, reader) => {
    if (field === 2) value = double(reader);
  });
  return value;
}

/** Converts a `Dimension` to JSON. Infinities and NaN become strings; bytes that are no UTF-8 become U+FFFD. */
function jsonOf(dimension: Uint8Array): string {
  let json = 'null';
  eachField(dimension, (field, reader) => {
    if (field === 1) json = jsonText(text(reader));
    else if (field === 2) json = reader.int64().toString();
    else if (field === 3) json = jsonNumber(double(reader));
    else if (field === 5) json = String(reader.varint() !== 0);
  });
  return json;
}

function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}

function jsonField(name: string, json: string): string {
  return `${jsonText(name)}:${json}`;
}

function jsonText(text: string): string {
  return JSON.stringify(text.toWellFormed());
}

function text(reader: WireReader): string {
  return textFromBytes(reader.bytes());
}

/** Reads the name in a message whose field 1 is a name. */
function nameIn(reader: WireReader): string {
  let name = '';
  eachField(reader.bytes(), (field, within) => {
    if (field === 1) name = text(within);
  });
  return name;
}

function double(reader: WireReader): number {
  const { buffer, at } = reader;
  reader.skip(WIRE_FIXED64);
  return new DataView(buffer.buffer, buffer.byteOffset + at, 8).getFloat64(0, true);
}
