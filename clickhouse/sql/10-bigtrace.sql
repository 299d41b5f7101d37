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
SETTINGS profile = 'bigtrace_rows'
