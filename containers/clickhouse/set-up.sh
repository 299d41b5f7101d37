#!/bin/sh
# Run by the server image's entry point at every start, while the server listens on loopback only. What is
# in sql/ can be run again and again. The client takes the password from the environment: `ps` shows
# command lines.
set -eu
export CLICKHOUSE_USER=bigtrace_set_up CLICKHOUSE_PASSWORD="$BIGTRACE_SET_UP_PASSWORD"
for file in /opt/bigtrace/sql/*.sql; do
  clickhouse-client --host 127.0.0.1 --database system <"$file"
done
