-- Copies the rows that an earlier version wrote to trace_columns, once.
INSERT INTO bigtrace.trace_column_types
SELECT name, source, transform(type, ['Int64', 'Float64'], ['wide integer', 'double'], 'text') AS kind
FROM bigtrace.trace_columns FINAL
WHERE (SELECT count() FROM bigtrace.trace_column_types) = 0
