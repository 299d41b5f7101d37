#!/bin/bash
# What people rely on of the official entry point: it runs as root or as any user, keeps the data directory
# the server's own, runs /docker-entrypoint-initdb.d/*.sql on the first start (on every one with
# CLICKHOUSE_ALWAYS_RUN_INITDB_SCRIPTS), locks the passwordless default user in, and gives way to the server.
set -euo pipefail
shopt -s nullglob

data=/var/lib/clickhouse
user=$(id -u):$(id -g)
if [ "$user" = 0:0 ]; then
  user=101:101
  chown -R "$user" "$data"
fi

if [ -z "${CLICKHOUSE_SKIP_USER_SETUP:-}" ]; then
  cat >/etc/clickhouse-server/users.d/default-user.xml <<XML
<clickhouse><users><default><networks replace="replace"><ip>::1</ip><ip>127.0.0.1</ip></networks></default></users></clickhouse>
XML
fi

scripts=(/docker-entrypoint-initdb.d/*.sql)
if [ -n "${CLICKHOUSE_ALWAYS_RUN_INITDB_SCRIPTS:-}" ] || [ ! -d "$data/data" ]; then
  for script in "${scripts[@]}"; do
    echo "$0: running $script"
    clickhouse su "$user" clickhouse init --config-file "$CLICKHOUSE_CONFIG" <"$script"
  done
fi

if [ $# -eq 0 ] || [[ $1 == --* ]]; then
  exec clickhouse su "$user" clickhouse-server --config-file "$CLICKHOUSE_CONFIG" "$@"
fi
exec "$@"
