-- The traces in each table of `bigtrace materialize`, with the run that wrote their rows. Rows of other runs are invisible.
CREATE TABLE IF NOT EXISTS bigtrace.materialized_traces
(
    table_name LowCardinality(String),
    address String,
    generation String COMMENT 'of the trace as it was asked',
    run UInt64 COMMENT 'when, in milliseconds since the epoch'
)
ENGINE = ReplacingMergeTree(run)
ORDER BY (table_name, address)
