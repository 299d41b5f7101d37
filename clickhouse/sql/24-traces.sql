-- One row per trace. `bigtrace index` replaces this view when users add columns (catalog/columns/traces-view.ts).
CREATE VIEW IF NOT EXISTS bigtrace.traces
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * EXCEPT (indexed_with, extra) FROM bigtrace.trace_catalog FINAL
