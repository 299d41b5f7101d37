-- Upgrades data directories of versions in which one process owned each query, or without these columns.
ALTER TABLE bigtrace.query_history
    ADD COLUMN IF NOT EXISTS change String COMMENT 'id of the change that wrote the row' AFTER version,
    ADD COLUMN IF NOT EXISTS user String COMMENT 'who sent it (docs/http.md)' AFTER end_time,
    ADD COLUMN IF NOT EXISTS prelude String COMMENT 'what ran before it: the statements that its session kept' AFTER perfetto_sql,
    ADD COLUMN IF NOT EXISTS session String COMMENT 'hash of the session that keeps its statements; empty: none' AFTER prelude,
    ADD COLUMN IF NOT EXISTS keeps Array(String) COMMENT 'statements that its session keeps if it succeeds' AFTER session,
    ADD COLUMN IF NOT EXISTS plan String COMMENT 'JSON: what starts the query; empty when it has ended' AFTER request,
    DROP COLUMN IF EXISTS owner
