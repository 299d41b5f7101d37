-- Running queries and their progress. `traces_total` grows while the orchestrator expands patterns, until
-- `total_is_final`. `remaining_s` is an estimate from the traces done so far. `running` lists the tasks that workers have
-- processed for the longest time, at most ten, with their state. `core_s` is the time of engine threads for the traces that
-- are done, and for column finding; the last four columns count the traces that are done by the source of their results.
CREATE OR REPLACE VIEW bigtrace.progress
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT
    query_id,
    user,
    fromUnixTimestamp64Milli(started_ms, 'UTC') AS started,
    elapsed_ms / 1000 AS elapsed_s,
    traces_total,
    total_is_final,
    traces_done,
    traces_failed,
    rows,
    result_bytes,
    trace_bytes,
    if(
        total_is_final AND traces_done + traces_failed > 0,
        elapsed_s * (traces_total - traces_done - traces_failed) / (traces_done + traces_failed),
        NULL
    ) AS remaining_s,
    running,
    core_ms / 1000 AS core_s,
    traces_remembered,
    traces_loaded,
    traces_restored,
    traces_parsed
FROM executable(
    'bigtrace progress',
    CustomSeparated,
    'query_id String NOT NULL, user String NOT NULL, started_ms Int64 NOT NULL, elapsed_ms UInt64 NOT NULL, traces_total UInt64 NOT NULL, total_is_final Bool NOT NULL, traces_done UInt64 NOT NULL, traces_failed UInt64 NOT NULL, rows UInt64 NOT NULL, result_bytes UInt64 NOT NULL, trace_bytes UInt64 NOT NULL, core_ms UInt64 NOT NULL, traces_remembered UInt64 NOT NULL, traces_loaded UInt64 NOT NULL, traces_restored UInt64 NOT NULL, traces_parsed UInt64 NOT NULL, running Array(Tuple(trace String, state String, state_s Float64, total_s Float64, worker String)) NOT NULL',
    SETTINGS stderr_reaction = 'throw', command_read_timeout = 10000, command_termination_timeout = 1
)
SETTINGS profile = 'bigtrace_rows'
