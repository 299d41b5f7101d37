-- The types of values that manifests and extra SQL have written into each column. Rows are only added: a column's type
-- is the narrowest that shows all of its values exactly (catalog/columns/column-type.ts), in whatever order runs add their rows.
CREATE TABLE IF NOT EXISTS bigtrace.trace_column_types
(
    name String,
    source LowCardinality(String) COMMENT 'labels or extra',
    kind LowCardinality(String) COMMENT 'integer, wide integer, double or text'
)
ENGINE = ReplacingMergeTree
ORDER BY (name, source, kind)
