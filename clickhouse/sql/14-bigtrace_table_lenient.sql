-- bigtrace_table_lenient(table = 'chosen', sql = '…'): as bigtrace_table(), but a trace that fails does not end
-- the query; see bigtrace_lenient().
CREATE OR REPLACE VIEW bigtrace.bigtrace_table_lenient
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (_hb)
FROM executable(
    'bigtrace query --end-mark --traces-fd 3',
    CustomSeparated,
    bigtrace_schema(
        (SELECT groupArray(address) FROM (SELECT address FROM merge('bigtrace', concat('^\\Q', {table:String}, '\\E$')) LIMIT 64)),
        {sql:String}, initialQueryID(), currentUser(), 'lenient'
    ),
    (
        SELECT
            [],
            {sql:String},
            initialQueryID(),
            currentUser(),
            'lenient',
            bigtrace_schema(
                (SELECT groupArray(address) FROM (SELECT address FROM merge('bigtrace', concat('^\\Q', {table:String}, '\\E$')) LIMIT 64)),
                {sql:String}, initialQueryID(), currentUser(), 'lenient'
            )
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
