-- Running queries and the connections of their clients, for the bridge only. During column finding ClickHouse does not
-- notice that the query was killed, exceeded its max_execution_time, or lost its client. The bridge therefore checks this
-- view and the kernel's tables (bridge/grpc/client-gone.ts).
CREATE OR REPLACE VIEW bigtrace.query_clients
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS
WITH toFloat64OrZero(Settings['max_execution_time']) AS seconds_max
SELECT
    query_id,
    toUInt8(is_cancelled OR (seconds_max > 0 AND elapsed > seconds_max)) AS given_up,
    interface,
    address,
    port,
    toUInt8(forwarded_for != '') AS forwarded,
    tcpPort() AS native_port,
    if(seconds_max > 0 AND elapsed > seconds_max, toString(seconds_max), '') AS seconds_exceeded
FROM system.processes
WHERE authenticatedUser() = 'bigtrace_bridge'
