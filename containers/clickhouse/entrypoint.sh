#!/bin/sh
# Determines the passwords, then executes the entry point of the server's image. A password comes from a variable
# (BIGTRACE_ADMIN_PASSWORD), from a file (BIGTRACE_ADMIN_PASSWORD_FILE), or from the previous start, or is generated.
# ClickHouse gets only its hash.
set -eu

made_up() { head -c 18 /dev/urandom | base64 | tr '+/' '-_'; }

hash_of() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

settle() {
  given=$1 file=$2 kept=/var/lib/clickhouse/$3.password
  if [ -n "$given" ]; then
    password=$given
  elif [ -n "$file" ]; then
    password=$(cat "$file")
  else
    file=$kept
    if [ ! -e "$kept" ]; then
      # Atomically, so that a power failure leaves no partial file.
      (umask 077 && made_up >"$kept.new" && sync "$kept.new" && mv "$kept.new" "$kept")
      echo "made up a password for $3; it is in $kept" >&2
    fi
    password=$(cat "$kept")
  fi
  if [ -z "$password" ]; then
    echo "the password file $file is empty: delete it or write the password of $3 into it" >&2
    exit 1
  fi
  hash_of "$password"
}

BIGTRACE_ADMIN_PASSWORD_SHA256=$(settle "${BIGTRACE_ADMIN_PASSWORD:-}" "${BIGTRACE_ADMIN_PASSWORD_FILE:-}" admin)
BIGTRACE_ANALYST_PASSWORD_SHA256=$(settle "${BIGTRACE_ANALYST_PASSWORD:-}" "${BIGTRACE_ANALYST_PASSWORD_FILE:-}" analyst)
BIGTRACE_SERVICE_PASSWORD_SHA256=$(settle "${BIGTRACE_SERVICE_PASSWORD:-}" "${BIGTRACE_SERVICE_PASSWORD_FILE:-}" service)
unset BIGTRACE_ADMIN_PASSWORD BIGTRACE_ANALYST_PASSWORD BIGTRACE_SERVICE_PASSWORD

# For set-up.sh only: the server and the scripts that it runs do not get this variable.
BIGTRACE_SET_UP_PASSWORD=$(made_up)
BIGTRACE_SET_UP_PASSWORD_SHA256=$(hash_of "$BIGTRACE_SET_UP_PASSWORD")
export BIGTRACE_ADMIN_PASSWORD_SHA256 BIGTRACE_ANALYST_PASSWORD_SHA256 BIGTRACE_SERVICE_PASSWORD_SHA256
export BIGTRACE_SET_UP_PASSWORD BIGTRACE_SET_UP_PASSWORD_SHA256
exec /entrypoint.sh env -u BIGTRACE_SET_UP_PASSWORD \
  clickhouse-server --config-file=/etc/clickhouse-server/config.xml "$@"
