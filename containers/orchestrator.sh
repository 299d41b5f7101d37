#!/bin/sh
# Starts an orchestrator. First it generates missing passwords in the directory of BIGTRACE_SERVICE_PASSWORD_FILE, if the
# containers share a volume there: `service` for its own access to the catalog in ClickHouse, `analyst` for users and
# dashboards. On Kubernetes, the directory is a Secret, which cannot be written.
# --insecure: the container network restricts access. --tls-cert and the other flags can restrict it, too.
set -eu
if [ -n "${BIGTRACE_SERVICE_PASSWORD_FILE:-}" ] && [ -w "${BIGTRACE_SERVICE_PASSWORD_FILE%/*}" ]; then
  for name in service analyst; do
    file=$(dirname "$BIGTRACE_SERVICE_PASSWORD_FILE")/$name.password
    # Whole or not at all, whenever the power is lost.
    [ -s "$file" ] || (umask 027 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$file.new" \
      && sync "$file.new" && mv "$file.new" "$file")
  done
fi
exec node /app/dist/bigtrace.js orchestrator --listen 0.0.0.0 --port 5051 --insecure "$@"
