#!/bin/sh
# Starts a worker with its own directory for snapshots and cached results: the first directory below /var/cache/bigtrace
# (which the workers of one machine share) that no other worker has locked. The lock ends with the worker.
# --insecure: the container network restricts access. --tls-cert and the other flags can restrict it, too.
set -eu
slot=1
while :; do
  mkdir -p "/var/cache/bigtrace/$slot"
  exec 9>"/var/cache/bigtrace/$slot/lock"
  flock --nonblock 9 && break
  slot=$((slot + 1))
done
exec node /app/dist/bigtrace.js worker --listen 0.0.0.0 --port 5052 --insecure \
  --cache-dir "/var/cache/bigtrace/$slot/images" \
  --result-cache-dir "/var/cache/bigtrace/$slot/results" "$@"
