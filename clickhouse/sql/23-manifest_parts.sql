-- What JSON manifests say about columns, and their presets (catalog/manifest/json-manifest.ts). The latest run's apply.
CREATE TABLE IF NOT EXISTS bigtrace.manifest_parts
(
    part LowCardinality(String) COMMENT 'column or preset',
    name String COMMENT 'of the column; ID of the preset',
    json String,
    written_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (part, name)
