-- The queries that run and the connections of their clients, for the bridge alone. While it looks for a query's
-- columns ClickHouse does not notice that the query was killed, that it is past its max_execution_time, or that
-- its client went away; the bridge asks here, and the kernel (bridge/given-up.ts).
CREATE OR REPLACE VIEW bigtrace.query_clients
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS
WITH toFloat64OrZero(Settings['max_execution_time']) AS seconds_max
SELECT
    query_id,
    toUInt8(is_cancelled OR (seconds_max > 0 AND elapsed > seconds_max)) AS given_up,
    interface,
    address,
    port
FROM system.processes
WHERE currentUser() = 'bigtrace_bridge'
