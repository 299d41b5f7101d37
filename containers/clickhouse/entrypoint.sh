#!/bin/sh
# Settles the two passwords, then gives way to the entry point of the server's image. A password is given
# (BIGTRACE_ADMIN_PASSWORD, or a file named by BIGTRACE_ADMIN_PASSWORD_FILE), kept from the last start, or
# made up; ClickHouse itself gets the hash only.
set -eu

settle() {
  given=$1 file=$2 kept=/var/lib/clickhouse/$3.password
  if [ -n "$given" ]; then
    password=$given
  elif [ -n "$file" ]; then
    password=$(cat "$file")
  else
    if [ ! -s "$kept" ]; then
      (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$kept")
      echo "made up a password for $3; it is in $kept"
    fi
    password=$(cat "$kept")
  fi
}

hash_of() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

settle "${BIGTRACE_ANALYST_PASSWORD:-}" "${BIGTRACE_ANALYST_PASSWORD_FILE:-}" analyst
BIGTRACE_ANALYST_PASSWORD_SHA256=$(hash_of "$password")
settle "${BIGTRACE_ADMIN_PASSWORD:-}" "${BIGTRACE_ADMIN_PASSWORD_FILE:-}" admin
BIGTRACE_ADMIN_PASSWORD_SHA256=$(hash_of "$password")
export BIGTRACE_ADMIN_PASSWORD_SHA256 BIGTRACE_ANALYST_PASSWORD_SHA256

# set-up.sh needs this one; the server, and with it the scripts that it runs, get neither.
export BIGTRACE_ADMIN_PASSWORD="$password"
exec /entrypoint.sh env -u BIGTRACE_ADMIN_PASSWORD -u BIGTRACE_ANALYST_PASSWORD \
  clickhouse-server --config-file=/etc/clickhouse-server/config.xml "$@"
