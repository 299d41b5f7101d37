-- Metadata of the users' own, from the manifests given to `bigtrace index`.
CREATE TABLE IF NOT EXISTS bigtrace.trace_labels
(
    address String,
    labels Map(LowCardinality(String), String),
    labelled_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(labelled_at)
ORDER BY address
