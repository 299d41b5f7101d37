/** Settings whose purpose is to change the result of a query, with the reason. */

export const BY_DEFINITION: Readonly<Record<string, Reason>> = {
  additional_result_filter: 'rows',
  asterisk_include_virtual_columns: 'columns',
  data_type_default_nullable: 'columns', // affects types of a structure that specify neither NULL nor NOT NULL
  force_optimize_projection: 'bound', // bigtrace_table and traces read tables
  force_optimize_projection_name: 'bound',
  force_primary_key: 'bound', // the same
  format_binary_max_string_size: 'format',
  inject_random_order_for_select_without_order_by: 'rows',
  limit: 'rows',
  local_filesystem_read_method: 'unsupported',
  offset: 'rows',
  max_bytes_ratio_before_external_group_by: 'bound',
  max_bytes_to_read: 'bound',
  max_bytes_to_read_leaf: 'bound',
  max_columns_to_read: 'bound',
  max_execution_speed: 'bound',
  max_execution_time: 'bound',
  max_expanded_ast_elements: 'bound',
  max_local_read_bandwidth: 'speed',
  max_memory_usage: 'bound',
  max_memory_usage_for_user: 'bound',
  max_parser_backtracks: 'bound',
  max_result_bytes: 'bound',
  max_result_rows: 'bound',
  max_rows_to_read: 'bound',
  max_rows_to_read_leaf: 'bound',
  max_temporary_non_const_columns: 'bound',
  make_distributed_plan: 'unsupported',
  memory_tracker_fault_probability: 'fault',
  remote_filesystem_read_method: 'unsupported',
  output_format_binary_encode_types_in_binary_format: 'format',
};

/**
 * Kind of change. `rows`, `columns`: it changes these of the result, for a view as for a table. With all others the
 * query fails or its rows are unchanged: `bound`: a limit; `fault`: injected by ClickHouse; `unsupported`; `format`:
 * the format of the result; `speed`: these are not swept, because at one byte per second the query would never end.
 */
export type Reason = 'speed' | 'rows' | 'columns' | 'bound' | 'fault' | 'unsupported' | 'format';
