-- The first row that each script of `bigtrace index --extra-sql` returned on each trace. Scripts merge.
CREATE TABLE IF NOT EXISTS bigtrace.trace_extra
(
    address String,
    question String COMMENT 'digest of the script',
    generation String COMMENT 'of the trace as it was asked: values of another generation do not count',
    extra Map(LowCardinality(String), String),
    asked_at DateTime64(3, 'UTC'),
    complete Bool DEFAULT true COMMENT 'false: a column was dropped, so the script is run again'
)
ENGINE = ReplacingMergeTree(asked_at)
ORDER BY (address, question)
