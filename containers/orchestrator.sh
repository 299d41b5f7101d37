#!/bin/sh
# Starts an orchestrator. The password by which it reads the catalog in ClickHouse is made up where its file
# is not there yet; ClickHouse reads the same file.
# --insecure: the container's network decides who reaches it; --tls-cert and others guard it, too.
set -eu
file=${BIGTRACE_SERVICE_PASSWORD_FILE:-}
if [ -n "$file" ] && [ ! -s "$file" ]; then
  (umask 027 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$file")
fi
exec node /app/dist/bigtrace.js orchestrator --listen 0.0.0.0 --port 5051 --insecure "$@"
