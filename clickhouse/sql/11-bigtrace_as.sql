-- bigtrace_as(structure = 'name String, dur Int64', traces = […], sql = '…'): as bigtrace(), with columns
-- that the asker gives, so nothing has to be found out first.
CREATE OR REPLACE VIEW bigtrace.bigtrace_as
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (_hb)
FROM executable(
    'bigtrace query',
    TSV,
    concat('_hb UInt8, _trace_address String, ', {structure:String}),
    (
        SELECT
            {traces:Array(String)},
            {sql:String},
            initialQueryID(),
            currentUser(),
            'strict',
            concat('_hb UInt8, _trace_address String, ', {structure:String})
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
    -- The old analyzer would push the WHERE down into the script's input.
    enable_optimize_predicate_expression = 0,
    -- The asker's settings must not change how the script's rows are read.
    format_tsv_null_representation = '\\N',
    input_format_allow_errors_num = 0,
    input_format_allow_errors_ratio = 0,
    input_format_tsv_skip_first_lines = 0,
    input_format_tsv_empty_as_default = 0,
    output_format_tsv_crlf_end_of_line = 0
