#!/bin/sh
# Prints a directory with layers for arm64, made from packages once: debian.tar, of which a service's base image is made, and
# node.tar with Node alone. Nothing runs in them while images are built.
set -eu
cd "$(dirname "$0")/../.."
node=$(test/arm64/node.sh)
made=$PWD/node_modules/.cache/base-images-arm64
if [ ! -d "$made" ]; then
  new=$made.new-$$
  mkdir "$new"
  trap 'rm -rf "$new"' EXIT
  mmdebstrap --quiet --variant=extract --architectures=arm64 \
    --include=base-files,bash,ca-certificates,coreutils,dash,grep,libstdc++6,sed,util-linux \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$new/debian.tar" http://deb.debian.org/debian >&2
  tar --create --file "$new/node.tar" --owner=0 --group=0 --transform='s|^|usr/local/bin/|' \
    --directory "${node%/*}/package/bin" node
  mv "$new" "$made"
fi
echo "$made"
