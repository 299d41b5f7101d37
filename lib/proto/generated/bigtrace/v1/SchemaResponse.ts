// Original file: bigtrace.proto

import type { ColumnInput as _bigtrace_v1_ColumnInput, Column as _bigtrace_v1_Column } from '../../bigtrace/v1/Column.ts';

export interface SchemaResponseInput {
  'column'?: (_bigtrace_v1_ColumnInput)[];
  'tracesSampled'?: (number);
}

export interface SchemaResponse {
  'column': (_bigtrace_v1_Column)[];
  'tracesSampled': (number);
}
