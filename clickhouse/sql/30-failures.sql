-- Recent failures, from the memory of the orchestrator: traces, and (with an empty `trace`) whole queries. Newest query
-- first.
CREATE OR REPLACE VIEW bigtrace.failures
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT
    query_id,
    user,
    trace,
    code,
    message,
    attempts,
    fromUnixTimestamp64Milli(time_ms, 'UTC') AS time
FROM executable(
    'bigtrace failures',
    CustomSeparated,
    'query_id String NOT NULL, user String NOT NULL, trace String NOT NULL, code String NOT NULL, message String NOT NULL, attempts UInt32 NOT NULL, time_ms Int64 NOT NULL',
    SETTINGS stderr_reaction = 'throw', command_read_timeout = 10000, command_termination_timeout = 1
)
SETTINGS profile = 'bigtrace_rows'
