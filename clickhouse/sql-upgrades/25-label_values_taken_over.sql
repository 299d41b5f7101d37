-- Copies the rows that an earlier version wrote to trace_labels, once.
INSERT INTO bigtrace.trace_label_values
SELECT address, name, value, labelled_at
FROM bigtrace.trace_labels FINAL
ARRAY JOIN mapKeys(labels) AS name, mapValues(labels) AS value
WHERE (SELECT count() FROM bigtrace.trace_label_values) = 0
