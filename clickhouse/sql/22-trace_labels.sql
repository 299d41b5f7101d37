-- Exists for data directories of earlier versions, whose rows 25-label_values_taken_over.sql copies to trace_label_values.
CREATE TABLE IF NOT EXISTS bigtrace.trace_labels
(
    address String,
    labels Map(LowCardinality(String), String),
    labelled_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(labelled_at)
ORDER BY address
