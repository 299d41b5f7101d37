-- bigtrace_as(structure = 'name String, dur Int64', traces = […], sql = '…'): as bigtrace(), with columns
-- that the asker gives, so nothing has to be found out first.
CREATE OR REPLACE VIEW bigtrace.bigtrace_as
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (_hb)
FROM executable(
    'bigtrace query --end-mark',
    CustomSeparated,
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
SETTINGS profile = 'bigtrace_rows'
