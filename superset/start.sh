#!/bin/sh
# Creates missing secrets, upgrades the metadata, creates the first user, imports the assets; then serves. Idempotent.
set -eu

here=$(CDPATH= cd "$(dirname "$0")" && pwd)
export SUPERSET_HOME="${SUPERSET_HOME:-/app/superset_home}"
export SUPERSET_CONFIG_PATH="$here/superset_config.py"
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
export FLASK_APP="superset.app:create_app()"
mkdir -p "$SUPERSET_HOME"

# keep VARIABLE FILE: generates a secret once, unless the variable is set.
keep() {
  eval "given=\${$1:-}\${$1_FILE:-}"
  [ -n "$given" ] || [ -s "$SUPERSET_HOME/$2" ] ||
    (umask 077 && head -c 33 /dev/urandom | base64 | tr '+/' '-_' >"$SUPERSET_HOME/$2")
}
keep SUPERSET_SECRET_KEY secret-key
keep SUPERSET_ADMIN_PASSWORD admin.password
if [ -z "${SUPERSET_ADMIN_PASSWORD:-}" ]; then
  SUPERSET_ADMIN_PASSWORD=$(cat "${SUPERSET_ADMIN_PASSWORD_FILE:-$SUPERSET_HOME/admin.password}")
fi

python "$here/check_clickhouse.py"
SUPERSET_ADMIN_PASSWORD="$SUPERSET_ADMIN_PASSWORD" python "$here/set_up.py"
unset SUPERSET_ADMIN_PASSWORD

[ "${1:-}" = --set-up-only ] && exit
# A request may take longer than a query.
exec gunicorn --bind "${SUPERSET_BIND:-0.0.0.0:8088}" \
  --workers "${SUPERSET_WORKERS:-1}" --worker-class gthread --threads "${SUPERSET_THREADS:-20}" \
  --timeout $((${BIGTRACE_QUERY_SECONDS_MAX:-3600} + 60)) --graceful-timeout 10 \
  --limit-request-line 0 --limit-request-field_size 0 "$FLASK_APP"
