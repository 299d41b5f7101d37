-- One row per trace, written by `bigtrace index`. Read it through the view bigtrace.traces.
CREATE TABLE IF NOT EXISTS bigtrace.trace_catalog
(
    address String,
    store LowCardinality(String),
    size UInt64,
    generation String COMMENT 'changes whenever the bytes of the trace do',
    modified Nullable(DateTime64(3, 'UTC')),
    indexed_at DateTime64(3, 'UTC'),
    indexed_with String COMMENT 'what was asked of the trace: another question reads it again',
    vanished_at Nullable(DateTime64(3, 'UTC')),
    error_code LowCardinality(String) COMMENT 'why it does not load; empty where it does',
    error String,
    format LowCardinality(String),
    duration Nullable(Int64) COMMENT 'nanoseconds',
    start_time Nullable(DateTime64(9, 'UTC')),
    uuid Nullable(String),
    system_name LowCardinality(Nullable(String)),
    os_release LowCardinality(Nullable(String)),
    arch LowCardinality(Nullable(String)),
    device LowCardinality(Nullable(String)),
    android_build LowCardinality(Nullable(String)),
    android_sdk LowCardinality(Nullable(String)),
    chrome_version LowCardinality(Nullable(String)),
    session_name LowCardinality(Nullable(String)),
    verdict LowCardinality(String) COMMENT 'ok; partial: the engine counted errors or lost data; empty: no data; nothing where it does not load',
    error_stats Map(LowCardinality(String), Int64) COMMENT 'statistics of errors and of lost data that are not 0',
    row_counts Map(LowCardinality(String), Int64) COMMENT 'rows of the tables of recorded data that have any',
    warnings Map(String, Int64) COMMENT 'what the engine could not read of the trace, and how often that was seen',
    metadata Map(LowCardinality(String), String) COMMENT 'all of TraceProcessor''s table metadata',
    extra Map(LowCardinality(String), String) COMMENT 'first row of `bigtrace index --extra-sql`'
)
ENGINE = ReplacingMergeTree(indexed_at)
ORDER BY address
