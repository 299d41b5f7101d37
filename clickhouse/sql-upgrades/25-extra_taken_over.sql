-- Copies the values that an earlier version wrote to trace_catalog, once.
INSERT INTO bigtrace.trace_extra (address, question, generation, extra, asked_at)
SELECT address, splitByChar('+', indexed_with)[2] AS question, generation, extra, indexed_at
FROM bigtrace.trace_catalog FINAL
WHERE notEmpty(extra) AND (SELECT count() FROM bigtrace.trace_extra) = 0
