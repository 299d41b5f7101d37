-- bigtrace_table_as(structure = 'name String', table = 'chosen', on_failure = 'strict', sql = '…'): as
-- bigtrace_table(), with columns that the asker gives.
CREATE OR REPLACE VIEW bigtrace.bigtrace_table_as
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (_hb)
FROM executable(
    'bigtrace query --end-mark --traces-fd 3',
    CustomSeparated,
    concat('_hb UInt8, _trace_address String, ', {structure:String}),
    (
        SELECT
            [],
            {sql:String},
            initialQueryID(),
            currentUser(),
            {on_failure:String},
            concat('_hb UInt8, _trace_address String, ', {structure:String})
    ),
    (SELECT address FROM merge('bigtrace', concat('^\\Q', {table:String}, '\\E$'))),
    SETTINGS
        stderr_reaction = 'throw',
        command_read_timeout = 10000,
        command_write_timeout = 60000,
        command_termination_timeout = 1
)
WHERE _hb = 0
SETTINGS profile = 'bigtrace_rows'
