#!/bin/sh
# The entry point of the server's image runs this at every start, while the server listens on loopback only. The
# statements in sql/ are idempotent. The client reads the password from the environment, because `ps` shows
# command lines.
set -eu
export CLICKHOUSE_USER=bigtrace_set_up CLICKHOUSE_PASSWORD="$BIGTRACE_SET_UP_PASSWORD"
for file in /opt/bigtrace/sql/*.sql; do
  clickhouse-client --host 127.0.0.1 --database system <"$file"
done
