-- The columns that manifests and extra SQL add to bigtrace.traces.
CREATE TABLE IF NOT EXISTS bigtrace.trace_columns
(
    name String,
    type LowCardinality(String),
    source LowCardinality(String) COMMENT 'labels or extra',
    added_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(added_at)
ORDER BY name
