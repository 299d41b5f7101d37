/**
 * Settings that every request of our own sends, so that no default profile of the server or of the user changes what a
 * statement does or what its result means. Bounds (`max_…`) are not pinned: reaching one is an error, because the
 * overflow modes are pinned.
 */
import { type ClickHouseSettings, SettingsMap } from '@clickhouse/client';

/** How rows are written: by ClickHouse for rows(), as JSON, and for strings(), as RowBinary. */
const OUTPUT = {
  output_format_json_quote_64bit_integers: 1, // JavaScript would round them
  output_format_json_quote_64bit_floats: 0,
  output_format_json_quote_decimals: 0,
  output_format_json_quote_denormals: 1,
  output_format_json_named_tuples_as_objects: 1,
  output_format_json_map_as_array_of_tuples: 0,
  output_format_json_validate_utf8: 0,
  output_format_json_array_of_rows: 0,
  date_time_output_format: 'simple',
  bool_true_representation: 'true',
  bool_false_representation: 'false',
  http_write_exception_in_output_format: 0, // an error would be a row
  send_progress_in_http_headers: 0, // Node accepts 16 KiB of headers
  extremes: 0,
} satisfies ClickHouseSettings;

/** How ClickHouse reads the rows of insert(), as TabSeparated. */
const INPUT = {
  format_tsv_null_representation: '\\N',
  date_time_input_format: 'basic',
  input_format_allow_errors_num: '0',
  input_format_allow_errors_ratio: 0,
  input_format_defaults_for_omitted_fields: 1,
  input_format_null_as_default: 1,
  input_format_tsv_allow_variable_number_of_columns: 0,
  input_format_tsv_crlf_end_of_line: 0,
  input_format_tsv_detect_header: 0, // a first row that consists of the columns' names would be dropped
  input_format_tsv_empty_as_default: 0,
  input_format_tsv_skip_first_lines: '0',
  input_format_tsv_skip_trailing_empty_lines: 0,
  async_insert: 0, // a later statement must see the rows
  insert_null_as_default: 1,
} satisfies ClickHouseSettings;

/** What statements mean. */
const STATEMENTS = {
  dialect: 'clickhouse',
  compatibility: '',
  enable_analyzer: 1,
  session_timezone: 'UTC',
  additional_result_filter: '',
  additional_table_filters: SettingsMap.from({}),
  limit: '0',
  offset: '0',
  // Otherwise an INSERT into a replicated table rejects arguments of views that have several lines or a tab.
  parallel_distributed_insert_select: '0',
  final: 0,
  apply_deleted_mask: 1,
  do_not_merge_across_partitions_select_final: 0,
  aggregate_functions_null_for_empty: 0,
  empty_result_for_aggregation_by_empty_set: 0,
  asterisk_include_alias_columns: 0,
  asterisk_include_materialized_columns: 0,
  cast_keep_nullable: 0,
  data_type_default_nullable: 0,
  describe_compact_output: 0,
  describe_include_subcolumns: 0,
  describe_include_virtual_columns: 0,
  join_default_strictness: 'ALL',
  join_use_nulls: 0,
  prefer_column_name_to_alias: 0,
  transform_null_in: 0,
  union_default_mode: '',
} satisfies ClickHouseSettings;

/** A bound that is reached is an error, not a shorter result. */
const OVERFLOW = {
  distinct_overflow_mode: 'throw',
  group_by_overflow_mode: 'throw',
  join_overflow_mode: 'throw',
  read_overflow_mode: 'throw',
  read_overflow_mode_leaf: 'throw',
  result_overflow_mode: 'throw',
  set_overflow_mode: 'throw',
  sort_overflow_mode: 'throw',
  timeout_overflow_mode: 'throw',
  timeout_overflow_mode_leaf: 'throw',
  transfer_overflow_mode: 'throw',
} satisfies ClickHouseSettings;

/**
 * When a statement has ended, what it did is visible on this server; when the client leaves, a query ends. Servers of a
 * cluster that are down are not waited for.
 */
const LIFE = {
  alter_sync: '1',
  mutations_sync: '1',
  lightweight_deletes_sync: '1',
  cancel_http_readonly_queries_on_client_close: 1,
} satisfies ClickHouseSettings;

/** Of a Replicated database; the types of the client do not know the value. */
const DDL_OUTPUT = { distributed_ddl_output_mode: 'none_only_active' };

export const PINNED_SETTINGS: ClickHouseSettings = {
  ...(DDL_OUTPUT as object),
  ...OUTPUT,
  ...INPUT,
  ...STATEMENTS,
  ...OVERFLOW,
  ...LIFE,
};
