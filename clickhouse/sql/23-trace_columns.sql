-- Kept for data directories made before trace_column_types, which has taken its rows over.
CREATE TABLE IF NOT EXISTS bigtrace.trace_columns
(
    name String,
    type LowCardinality(String),
    source LowCardinality(String) COMMENT 'labels or extra',
    added_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(added_at)
ORDER BY name
