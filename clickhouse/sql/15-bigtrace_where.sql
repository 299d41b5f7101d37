-- bigtrace_where(filter = 'duration > 2e9', sql = '…'): as bigtrace(), over the traces that an expression over
-- bigtrace.traces selects. The orchestrator looks them up as a user who may read that table and nothing else.
CREATE OR REPLACE VIEW bigtrace.bigtrace_where
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (_hb)
FROM executable(
    'bigtrace query --end-mark',
    CustomSeparated,
    bigtrace_schema([concat('/where/', {filter:String})], {sql:String}, initialQueryID(), currentUser(), 'strict'),
    (
        SELECT
            [concat('/where/', {filter:String})],
            {sql:String},
            initialQueryID(),
            currentUser(),
            'strict',
            bigtrace_schema([concat('/where/', {filter:String})], {sql:String}, initialQueryID(), currentUser(), 'strict')
    ),
    SETTINGS
        stderr_reaction = 'throw',
        command_read_timeout = 10000,
        command_write_timeout = 60000,
        command_termination_timeout = 1
)
WHERE _hb = 0
SETTINGS profile = 'bigtrace_rows'
