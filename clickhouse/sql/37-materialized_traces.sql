-- Which traces the tables of `bigtrace materialize` hold: their rows count that bear the same run.
CREATE TABLE IF NOT EXISTS bigtrace.materialized_traces
(
    table_name LowCardinality(String),
    address String,
    generation String COMMENT 'of the trace as it was asked',
    run UInt64 COMMENT 'when, in milliseconds since the epoch'
)
ENGINE = ReplacingMergeTree(run)
ORDER BY (table_name, address)
