-- The values of the manifests given to `bigtrace index`, a row for each trace and column: manifests merge, the
-- newest value of a column counts.
CREATE TABLE IF NOT EXISTS bigtrace.trace_label_values
(
    address String,
    name LowCardinality(String),
    value String,
    labelled_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(labelled_at)
ORDER BY (address, name)
