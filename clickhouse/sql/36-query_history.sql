-- The queries sent over HTTP: the row with the highest version of a query is its state (http-api/queries/history.ts).
CREATE TABLE IF NOT EXISTS bigtrace.query_history
(
    uuid String COMMENT 'also the id under which ClickHouse and the orchestrator know it',
    version UInt64 COMMENT 'counts the changes of the query',
    change String COMMENT 'id of the change that wrote the row',
    written_at DateTime64(3, 'UTC'),
    status LowCardinality(String) COMMENT 'IN_PROGRESS: its end is not recorded; SUCCESS, FAILED, CANCELLED',
    start_time DateTime64(3, 'UTC'),
    end_time Nullable(DateTime64(3, 'UTC')),
    user String COMMENT 'who sent it (docs/http.md)',
    perfetto_sql String,
    prelude String COMMENT 'what ran before it: the statements that its session kept',
    session String COMMENT 'hash of the session that keeps its statements; empty: none',
    keeps Array(String) COMMENT 'statements that its session keeps if it succeeds',
    request String COMMENT 'JSON: how the traces were chosen',
    plan String COMMENT 'JSON: what starts the query; empty when it has ended',
    materialized Bool,
    table_name String COMMENT 'in database bigtrace_results; its rows are numbered by column _row',
    row_limit UInt64,
    schema String COMMENT 'JSON: names and types of the columns, when the query has ended',
    processed_rows UInt64 COMMENT 'when the query has ended',
    processed_traces UInt64 COMMENT 'when the query has ended',
    total_traces UInt64 COMMENT 'when the query has ended',
    core_ms Nullable(UInt64) COMMENT 'cost, when the query has ended: milliseconds of engine threads; NULL: unknown',
    trace_bytes Nullable(UInt64) COMMENT 'cost: bytes of traces that were read from stores',
    traces_remembered Nullable(UInt64) COMMENT 'traces whose result was cached',
    traces_loaded Nullable(UInt64) COMMENT 'traces that an engine had loaded',
    traces_restored Nullable(UInt64) COMMENT 'traces that were restored from a snapshot',
    traces_parsed Nullable(UInt64) COMMENT 'traces that were parsed',
    error_message String,
    deleted Bool
)
ENGINE = ReplacingMergeTree(version)
ORDER BY uuid
