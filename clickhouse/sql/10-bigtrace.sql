-- bigtrace(traces = ['/local/**', …], sql = '…'): the rows that a PerfettoSQL script answers with, trace by trace.
-- Its columns are found by running the script over some of the traces; `_trace_address` stands in front.
-- bigtrace_schema() is called for ClickHouse and once more for the script's input; the answer is
-- remembered under the query's id, so both have the same.
CREATE OR REPLACE VIEW bigtrace.bigtrace
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (_hb)
FROM executable(
    'bigtrace query --end-mark',
    CustomSeparated,
    bigtrace_schema({traces:Array(String)}, {sql:String}, initialQueryID(), currentUser(), 'strict'),
    (
        SELECT
            {traces:Array(String)},
            {sql:String},
            initialQueryID(),
            currentUser(),
            'strict',
            bigtrace_schema({traces:Array(String)}, {sql:String}, initialQueryID(), currentUser(), 'strict')
    ),
    SETTINGS
        stderr_reaction = 'throw',
        command_read_timeout = 10000,
        command_write_timeout = 60000,
        command_termination_timeout = 1
)
WHERE _hb = 0
SETTINGS
    -- Rows go on as they come, and heartbeats let ClickHouse notice that it was cancelled.
    input_format_parallel_parsing = 0,
    input_format_connection_handling = 1,
    input_format_max_block_wait_ms = 500,
    -- The format is TSV and, behind the last row, a mark: without it the rows were cut short, an error.
    format_custom_escaping_rule = 'Escaped',
    format_custom_field_delimiter = '\t',
    format_custom_row_before_delimiter = '',
    format_custom_row_after_delimiter = '\n',
    format_custom_row_between_delimiter = '',
    format_custom_result_before_delimiter = '',
    format_custom_result_after_delimiter = 'END\n',
    -- The old analyzer would push the WHERE down into the script's input.
    enable_optimize_predicate_expression = 0,
    -- The asker's settings must not change how the script's rows are read.
    format_tsv_null_representation = '\\N',
    input_format_allow_errors_num = 0,
    input_format_allow_errors_ratio = 0,
    input_format_custom_skip_trailing_empty_lines = 0,
    input_format_custom_allow_variable_number_of_columns = 0,
    input_format_csv_empty_as_default = 0
