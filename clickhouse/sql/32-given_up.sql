-- The queries that nobody waits for any more: killed, or past their max_execution_time. While it looks for a
-- query's columns ClickHouse does not notice that itself; the bridge asks here (bridge/given-up.ts).
CREATE OR REPLACE VIEW bigtrace.given_up
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS
WITH toFloat64OrZero(Settings['max_execution_time']) AS seconds_max
SELECT query_id
FROM system.processes
WHERE is_cancelled OR (seconds_max > 0 AND elapsed > seconds_max)
