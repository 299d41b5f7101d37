-- Exists for data directories of earlier versions, whose rows 25-column_types_taken_over.sql copies to trace_column_types.
CREATE TABLE IF NOT EXISTS bigtrace.trace_columns
(
    name String,
    type LowCardinality(String),
    source LowCardinality(String) COMMENT 'labels or extra',
    added_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(added_at)
ORDER BY name
