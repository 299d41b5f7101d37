#!/bin/sh
# Starts an orchestrator. In the directory of BIGTRACE_SERVICE_PASSWORD_FILE, which containers share, it makes
# up the passwords that are not there yet: by `service` it reads the catalog in ClickHouse, by `analyst` people
# and dashboards ask.
# --insecure: the container's network decides who reaches it; --tls-cert and others guard it, too.
set -eu
if [ -n "${BIGTRACE_SERVICE_PASSWORD_FILE:-}" ]; then
  for name in service analyst; do
    file=$(dirname "$BIGTRACE_SERVICE_PASSWORD_FILE")/$name.password
    # Whole or not at all, whenever the power is lost.
    [ -s "$file" ] || (umask 027 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$file.new" \
      && sync "$file.new" && mv "$file.new" "$file")
  done
fi
exec node /app/dist/bigtrace.js orchestrator --listen 0.0.0.0 --port 5051 --insecure "$@"
