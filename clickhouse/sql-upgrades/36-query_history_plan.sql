-- Upgrades data directories of versions in which one process owned each query, or without these columns.
ALTER TABLE bigtrace.query_history
    ADD COLUMN IF NOT EXISTS change String COMMENT 'id of the change that wrote the row' AFTER version,
    ADD COLUMN IF NOT EXISTS user String COMMENT 'who sent it (docs/http.md)' AFTER end_time,
    ADD COLUMN IF NOT EXISTS prelude String COMMENT 'what ran before it: the statements that its session kept' AFTER perfetto_sql,
    ADD COLUMN IF NOT EXISTS session String COMMENT 'hash of the session that keeps its statements; empty: none' AFTER prelude,
    ADD COLUMN IF NOT EXISTS keeps Array(String) COMMENT 'statements that its session keeps if it succeeds' AFTER session,
    ADD COLUMN IF NOT EXISTS plan String COMMENT 'JSON: what starts the query; empty when it has ended' AFTER request,
    ADD COLUMN IF NOT EXISTS core_ms Nullable(UInt64) COMMENT 'cost, when the query has ended: milliseconds of engine threads; NULL: unknown' AFTER total_traces,
    ADD COLUMN IF NOT EXISTS trace_bytes Nullable(UInt64) COMMENT 'cost: bytes of traces that were read from stores' AFTER core_ms,
    ADD COLUMN IF NOT EXISTS traces_remembered Nullable(UInt64) COMMENT 'traces whose result was cached' AFTER trace_bytes,
    ADD COLUMN IF NOT EXISTS traces_loaded Nullable(UInt64) COMMENT 'traces that an engine had loaded' AFTER traces_remembered,
    ADD COLUMN IF NOT EXISTS traces_restored Nullable(UInt64) COMMENT 'traces that were restored from a snapshot' AFTER traces_loaded,
    ADD COLUMN IF NOT EXISTS traces_parsed Nullable(UInt64) COMMENT 'traces that were parsed' AFTER traces_restored,
    DROP COLUMN IF EXISTS owner
