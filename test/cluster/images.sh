#!/bin/bash
# Builds the images of the pods, and writes them to a file: images.sh PROGRAMS FILE [COMMIT]
# With a commit, also its images, with the tag `previous`.
set -euo pipefail
programs=$1
file=$2
commit=${3:-}
cd "$(dirname "$0")/../.."

containers/stand-ins/docker.sh
containers/stand-ins/base-images.sh --without-superset
docker compose build --quiet >&2
tar --create --directory "$programs" pause |
  docker import --change 'ENTRYPOINT ["/pause"]' --change 'USER 65535:65535' - bigtrace-test/pause:1 >/dev/null
names=$(docker compose config --images)
if [ -n "$commit" ]; then
  checkout=$(mktemp -d)
  trap 'rm -rf "$checkout"' EXIT
  git archive "$commit" | tar -x -C "$checkout"
  (cd "$checkout" && BIGTRACE_VERSION=previous docker compose build --quiet >&2)
  names+=" $(BIGTRACE_VERSION=previous docker compose config --images)"
fi
# shellcheck disable=SC2086 -- a list of names
docker save --output "$file" bigtrace-test/pause:1 $names
