-- bigtrace_table(table = 'chosen', sample = ['/local/a'], on_failure = 'strict', sql = '…'): as bigtrace(), over
-- the traces in column `address` of a table (or view) of database bigtrace. They go to the script as a
-- stream, so there may be millions of them. The columns are found by running the script over `sample`; with
-- on_failure = 'lenient' it goes on when traces fail, as bigtrace_lenient().
CREATE OR REPLACE VIEW bigtrace.bigtrace_table
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (_hb)
FROM executable(
    'bigtrace query --end-mark --traces-fd 3',
    CustomSeparated,
    bigtrace_schema({sample:Array(String)}, {sql:String}, initialQueryID(), currentUser(), {on_failure:String}),
    (
        SELECT
            [],
            {sql:String},
            initialQueryID(),
            currentUser(),
            {on_failure:String},
            bigtrace_schema({sample:Array(String)}, {sql:String}, initialQueryID(), currentUser(), {on_failure:String})
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
