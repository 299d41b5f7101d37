-- The traces that a run of `bigtrace index` listed. Its rows are deleted when the run ends, or a week after it was killed.
CREATE TABLE IF NOT EXISTS bigtrace.trace_listing
(
    run UUID,
    address String,
    size UInt64,
    generation String,
    modified Nullable(DateTime64(3, 'UTC')),
    listed_at DateTime DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY run
ORDER BY address
TTL listed_at + INTERVAL 7 DAY
