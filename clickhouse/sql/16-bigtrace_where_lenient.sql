-- bigtrace_where_lenient(filter = '…', sql = '…'): as bigtrace_where(), going on when traces fail, as bigtrace_lenient().
CREATE OR REPLACE VIEW bigtrace.bigtrace_where_lenient
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (_hb)
FROM executable(
    'bigtrace query --end-mark',
    CustomSeparated,
    bigtrace_schema([concat('/where/', {filter:String})], {sql:String}, initialQueryID(), currentUser(), 'lenient'),
    (
        SELECT
            [concat('/where/', {filter:String})],
            {sql:String},
            initialQueryID(),
            currentUser(),
            'lenient',
            bigtrace_schema([concat('/where/', {filter:String})], {sql:String}, initialQueryID(), currentUser(), 'lenient')
    ),
    SETTINGS
        stderr_reaction = 'throw',
        command_read_timeout = 10000,
        command_write_timeout = 60000,
        command_termination_timeout = 1
)
WHERE _hb = 0
SETTINGS profile = 'bigtrace_rows'
