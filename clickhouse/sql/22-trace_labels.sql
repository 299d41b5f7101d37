-- Kept for data directories made before trace_label_values, which has taken its rows over.
CREATE TABLE IF NOT EXISTS bigtrace.trace_labels
(
    address String,
    labels Map(LowCardinality(String), String),
    labelled_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(labelled_at)
ORDER BY address
