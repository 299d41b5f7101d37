#!/bin/sh
# Starts a worker with caches of its own, for images and for answers: of the directories below /var/cache/bigtrace,
# which workers of one machine share, the first that no other worker has. The lock goes when the worker ends.
# --insecure: the container's network decides who reaches it; --tls-cert and others guard it, too.
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
