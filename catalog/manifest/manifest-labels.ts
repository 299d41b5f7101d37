/** Adds a manifest to the catalog: first its columns, then the values of its traces. */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { CatalogStore } from '../catalog-store.ts';
import { COLUMN_TYPES, type ColumnType, type ValueKind } from '../columns/column-type.ts';
import type { FoundColumn } from '../columns/user-columns.ts';
import { columnsOf, type LabelledTrace, labelsOf, partsOf } from './manifest.ts';

export interface ManifestPlan {
  file: string;
  /** Address ending in `/`. The `path` of a record is relative to it. */
  directory: string;
  columnTypes: ReadonlyMap<string, ColumnType>;
}

/** @throws invalid_option if the manifest cannot be read, or names no trace that was listed or is in the catalog */
export async function addManifest(
  store: CatalogStore,
  run: string,
  { file, directory, columnTypes }: ManifestPlan,
): Promise<void> {
  const columns = await columnsOf(file);
  for (const [name, type] of columnTypes) override(columns, name, type, file);
  await requireKnown(store, run, file, directory);
  await store.columns.add(columns);
  await store.addLabels(labelsOf(file, directory));
  await store.addManifestParts(partsOf(file));
}

/** Kinds of values that a column of each type can hold. */
const FITTING: Record<ColumnType, readonly ValueKind[]> = {
  Int64: ['integer', 'wide integer'],
  Float64: ['integer', 'double'],
  String: ['integer', 'wide integer', 'double', 'text'],
};

function override(columns: FoundColumn[], name: string, type: ColumnType, file: string): void {
  const column = columns.find((one) => one.name === name);
  if (column === undefined)
    throw new BigtraceError('invalid_option', `--column-type ${name}: ${file} has no such column`);
  const strange = [...column.kinds].find((kind) => !FITTING[type].includes(kind));
  if (strange !== undefined)
    throw new BigtraceError(
      'invalid_option',
      `--column-type ${name}=${type}: a value of the column in ${file} is ${strange}`,
    );
  const kinds: Record<ColumnType, ValueKind> = {
    Int64: 'integer',
    Float64: 'double',
    String: 'text',
  };
  column.kinds = new Set([...column.kinds, kinds[type]]);
}

/** Requires one known trace. Others may be missing: a manifest may list traces that do not exist here. */
async function requireKnown(
  store: CatalogStore,
  run: string,
  file: string,
  directory: string,
): Promise<void> {
  let first: LabelledTrace | undefined;
  for await (const batch of labelsOf(file, directory)) {
    first ??= batch[0];
    if (
      (await store.countKnown(
        run,
        batch.map(([address]) => address),
      )) > 0
    )
      return;
  }
  throw new BigtraceError(
    'invalid_option',
    `manifest ${file} names no trace that was listed; its first record names ${first?.[0]}` +
      (directory === '' ? '' : ` (paths are relative to ${directory})`),
  );
}

/** Parses `NAME=TYPE`, the value of --column-type. @throws invalid_option */
export function parseColumnType(text: string): [name: string, type: ColumnType] {
  const at = text.lastIndexOf('=');
  const type = COLUMN_TYPES.find((one) => one === text.slice(at + 1));
  if (at < 1 || type === undefined)
    throw new BigtraceError(
      'invalid_option',
      `--column-type ${text} must be NAME=TYPE, TYPE one of ${COLUMN_TYPES.join(', ')}`,
    );
  return [text.slice(0, at), type];
}
