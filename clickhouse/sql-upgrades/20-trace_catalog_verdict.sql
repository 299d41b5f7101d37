-- Upgrades data directories of versions without these columns.
ALTER TABLE bigtrace.trace_catalog
    ADD COLUMN IF NOT EXISTS verdict LowCardinality(String) COMMENT 'ok; partial: the engine counted errors or lost data; empty: no data; nothing where it does not load' AFTER session_name,
    ADD COLUMN IF NOT EXISTS error_stats Map(LowCardinality(String), Int64) COMMENT 'statistics of errors and of lost data that are not 0' AFTER verdict,
    ADD COLUMN IF NOT EXISTS row_counts Map(LowCardinality(String), Int64) COMMENT 'rows of the tables of recorded data that have any' AFTER error_stats,
    ADD COLUMN IF NOT EXISTS warnings Map(String, Int64) COMMENT 'what the engine could not read of the trace, and how often that was seen' AFTER row_counts
