-- The values of the manifests of `bigtrace index`: one row per trace and column. Manifests merge; the newest value of a
-- column is used.
CREATE TABLE IF NOT EXISTS bigtrace.trace_label_values
(
    address String,
    name LowCardinality(String),
    value String,
    labelled_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(labelled_at)
ORDER BY (address, name)
