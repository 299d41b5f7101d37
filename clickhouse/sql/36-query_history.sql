-- Queries sent over HTTP, and their state. A newer row of a query replaces the older one.
CREATE TABLE IF NOT EXISTS bigtrace.query_history
(
    uuid String COMMENT 'also the id under which ClickHouse and the orchestrator know it',
    version UInt64,
    owner String COMMENT 'the orchestrator that runs it',
    written_at DateTime64(3, 'UTC') COMMENT 'its owner writes it anew every few seconds while it runs',
    status LowCardinality(String) COMMENT 'IN_PROGRESS, SUCCESS, FAILED, CANCELLED',
    start_time DateTime64(3, 'UTC'),
    end_time Nullable(DateTime64(3, 'UTC')),
    perfetto_sql String,
    request String COMMENT 'JSON: how the traces were chosen',
    materialized Bool,
    table_name String COMMENT 'in database bigtrace_results; its rows are numbered by column _row',
    row_limit UInt64,
    schema String COMMENT 'JSON: names and types of the columns; empty until they are known',
    processed_rows UInt64,
    processed_traces UInt64,
    total_traces UInt64,
    error_message String,
    deleted Bool
)
ENGINE = ReplacingMergeTree(version)
ORDER BY uuid
