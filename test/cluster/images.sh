#!/bin/bash
# Builds the images of the pods, and writes them to a file: images.sh PROGRAMS FILE
set -euo pipefail
programs=$1
file=$2
cd "$(dirname "$0")/../.."

containers/stand-ins/docker.sh
containers/stand-ins/base-images.sh --without-superset
docker compose build --quiet >&2
tar --create --directory "$programs" pause |
  docker import --change 'ENTRYPOINT ["/pause"]' --change 'USER 65535:65535' - bigtrace-test/pause:1 >/dev/null
# shellcheck disable=SC2046 -- a list of names
docker save --output "$file" bigtrace-test/pause:1 $(docker compose config --images)
