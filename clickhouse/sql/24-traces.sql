-- One row a trace. `bigtrace index` makes it anew when users add columns of their own (catalog/traces-view.ts).
CREATE VIEW IF NOT EXISTS bigtrace.traces
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (indexed_with, extra) FROM bigtrace.trace_catalog FINAL
