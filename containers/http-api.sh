#!/bin/sh
# Starts the HTTP API.
# --insecure: the container network restricts access. --tls-cert and the other flags can restrict it, too.
set -eu
exec node /app/dist/bigtrace.js http-api --listen 0.0.0.0 --port 5001 --insecure "$@"
