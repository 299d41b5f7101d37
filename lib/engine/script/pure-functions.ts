/**
 * Functions that only compute: they change no state that another query could observe. They are from SQLite 3.50 and
 * Perfetto v55 (`pragma_function_list`); a function that is missing here only costs a restore. Left out on purpose:
 * functions that define something or run SQL (create_function, import, run_metric …), that write (export_json,
 * sqlite_log), or that report on earlier statements (changes, last_insert_rowid).
 */

const SQLITE = `
  abs acos acosh asin asinh atan atan2 atanh avg ceil ceiling char coalesce concat concat_ws cos cosh
  count cume_dist date datetime degrees dense_rank exp first_value floor format glob group_concat hex
  if ifnull iif instr json json_array json_array_length json_each json_error_position json_extract
  json_group_array json_group_object json_insert json_object json_patch json_pretty json_quote
  json_remove json_replace json_set json_tree json_type json_valid jsonb jsonb_array jsonb_extract
  jsonb_group_array jsonb_group_object jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace
  jsonb_set julianday lag last_value lead length like likelihood likely ln log log10 log2 lower ltrim
  max min mod nth_value ntile nullif octet_length percent_rank pi pow power printf quote radians random
  randomblob rank replace round row_number rtrim sign sin sinh sqlite_compileoption_get
  sqlite_compileoption_used sqlite_source_id sqlite_version sqrt strftime string_agg substr substring
  subtype sum tan tanh time timediff total trim trunc typeof unhex unicode unistr unistr_quote
  unixepoch unlikely upper zeroblob`;

const PERFETTO = `
  abs_time_str ancestor_slice base64_decode base64_encode cat_stacks demangle descendant_slice
  directly_connected_flow extract_arg extract_exact_metadata extract_metadata
  extract_metadata_for_machine extract_metadata_for_trace following_flow hash last_non_null median
  null_if_empty package_lookup percentile percentile_cont percentile_disc preceding_flow regexp
  regexp_extract regexp_replace_simple reverse slice_is_ancestor stack_from_stack_profile_callsite
  stack_from_stack_profile_frame str_split to_ftrace to_monotonic to_realtime to_timecode trace_dur
  trace_end trace_start value_at_max_ts`;

/** Defined by reading/warnings.ts. */
const OURS = 'bigtrace_warnings';

export const PURE_FUNCTIONS: ReadonlySet<string> = new Set(
  `${SQLITE} ${PERFETTO} ${OURS}`.trim().split(/\s+/),
);
