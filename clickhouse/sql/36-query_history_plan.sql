-- Upgrades data directories of versions in which one process owned each query.
ALTER TABLE bigtrace.query_history
    ADD COLUMN IF NOT EXISTS change String COMMENT 'id of the change that wrote the row' AFTER version,
    ADD COLUMN IF NOT EXISTS plan String COMMENT 'JSON: what starts the query; empty when it has ended' AFTER request,
    DROP COLUMN IF EXISTS owner
