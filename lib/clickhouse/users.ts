/** ClickHouse users of the services (clickhouse/users.d/bigtrace.xml). */

/** May read only bigtrace.traces: it evaluates expressions of users. */
export const CATALOG_USER = 'bigtrace_catalog';

/** May see and kill the queries of CATALOG_USER, whose expressions must not read system.processes. */
export const CANCELLER_USER = 'bigtrace_canceller';
