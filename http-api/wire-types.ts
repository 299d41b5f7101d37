/** Types of the HTTP API, shared by the backend and the console. Types only: the console runs without Node. */

export type WireType =
  | 'INT64'
  | 'UINT64'
  | 'FLOAT64'
  | 'STRING'
  | 'BOOL'
  | 'DATE'
  | 'TIMESTAMP'
  | 'BYTES';

export interface WireColumn {
  name: string;
  type: WireType;
}

export interface WireSetting {
  setting_id: string;
  values: string[];
  category?: string;
}

export type Status = 'IN_PROGRESS' | 'SUCCESS' | 'FAILED' | 'CANCELLED';

/** How the page selected traces. It is returned unchanged so that the page can show the query again. */
export interface Snapshot {
  settings: { settingId: string; values: string[]; category: string }[];
  traceFilters: object[];
  traceMetadataColumns: string[];
  traceOrderBy: string;
  traceLimit: number;
}

export interface WireStatus {
  status: Status;
  processedRows: number;
  processedTraces: number;
  totalTraces: number;
  errorMessage?: string;
}

export interface WireExecution extends WireStatus, Snapshot {
  queryUuid: string;
  startTime: string;
  endTime?: string;
  limit: number;
  perfettoSql: string;
  materialized: boolean;
  tableName?: string;
  /** Link to ClickHouse's Play page with a query of the table. */
  tableLink?: string;
  error?: string;
  schema?: WireColumn[];
}

export interface WireRow {
  /** In the order of the columns. */
  values: (string | null)[];
}

export interface WirePage {
  columnNames: string[];
  schema: WireColumn[];
  rows: WireRow[];
  totalFilteredRows: number;
}

export interface Preset {
  id: string;
  category: string;
  name: string;
  description: string;
  perfettoSql: string;
  icon?: string;
  limit?: number;
  materialized?: boolean;
  settings?: object[];
  traceFilters?: object[];
  traceMetadataColumns?: string[];
  traceOrderBy?: string;
}
