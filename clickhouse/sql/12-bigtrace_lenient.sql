-- bigtrace_lenient(traces = […], sql = '…'): as bigtrace(), but a trace that fails does not end the query:
-- the others answer, and `SELECT * FROM failures WHERE query_id = '…'` tells which failed, and why.
-- When all fail, that is an error.
CREATE OR REPLACE VIEW bigtrace.bigtrace_lenient
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (_hb)
FROM executable(
    'bigtrace query --end-mark',
    CustomSeparated,
    bigtrace_schema({traces:Array(String)}, {sql:String}, initialQueryID(), currentUser(), 'lenient'),
    (
        SELECT
            {traces:Array(String)},
            {sql:String},
            initialQueryID(),
            currentUser(),
            'lenient',
            bigtrace_schema({traces:Array(String)}, {sql:String}, initialQueryID(), currentUser(), 'lenient')
    ),
    SETTINGS
        stderr_reaction = 'throw',
        command_read_timeout = 10000,
        command_write_timeout = 60000,
        command_termination_timeout = 1
)
WHERE _hb = 0
SETTINGS profile = 'bigtrace_rows'
