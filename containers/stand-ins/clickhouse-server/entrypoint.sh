#!/bin/bash
# What people rely on of the official entry point: it runs as root or as any other user; on the first start
# (on every one with CLICKHOUSE_ALWAYS_RUN_INITDB_SCRIPTS) it runs what is in /docker-entrypoint-initdb.d
# against a server on loopback; it restricts the passwordless user `default` to loopback; it executes the server.
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

scripts=(/docker-entrypoint-initdb.d/*)
if [ ${#scripts[@]} -gt 0 ] &&
  { [ -n "${CLICKHOUSE_ALWAYS_RUN_INITDB_SCRIPTS:-}" ] || [ ! -d "$data/metadata" ]; }; then
  clickhouse su "$user" clickhouse-server --config-file "$CLICKHOUSE_CONFIG" --listen_host=127.0.0.1 &
  server=$!
  until wget --quiet --spider --timeout=1 http://127.0.0.1:8123/ping; do
    kill -0 "$server" || exit 1
    sleep 0.1
  done
  for script in "${scripts[@]}"; do
    echo "$0: running $script"
    case $script in
      *.sh) "$script" ;;
      *.sql) clickhouse-client <"$script" ;;
      *) echo "$0: ignoring $script" ;;
    esac
  done
  kill -TERM "$server"
  wait "$server"
fi

if [ $# -eq 0 ] || [[ $1 == --* ]]; then
  exec clickhouse su "$user" clickhouse-server --config-file "$CLICKHOUSE_CONFIG" "$@"
fi
exec "$@"
