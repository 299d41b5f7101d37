#!/bin/sh
# Installs and starts Docker with Compose v2 and buildx from Debian's packages, for machines without Docker (CI, a bare
# Debian 12). Does nothing if `docker compose` works. Run it as root.
set -eu

plugins=/usr/libexec/docker/cli-plugins
state=${BIGTRACE_DOCKER_STATE:-/var/tmp/bigtrace-docker}

ready() { docker info >/dev/null 2>&1; }

missing=
[ -x /usr/sbin/dockerd ] || command -v dockerd >/dev/null || missing="$missing docker.io"
command -v iptables >/dev/null || missing="$missing iptables"
command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
if [ -n "$missing" ]; then
  echo "installing$missing" >&2
  apt-get update -qq >&2
  # shellcheck disable=SC2086 -- a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >&2
fi

# Debian 12 has only Compose v1; the two plugins of Debian 13 are single binaries that run there.
if ! docker compose version >/dev/null 2>&1 || ! docker buildx version >/dev/null 2>&1; then
  echo 'installing Compose v2 and buildx' >&2
  mkdir -p "$state/lists/partial" "$plugins"
  echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' \
    >"$state/trixie.list"
  trixie="-o Dir::Etc::SourceList=$state/trixie.list -o Dir::Etc::SourceParts=- -o Dir::State::Lists=$state/lists
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root"
  # shellcheck disable=SC2086 -- a list of options
  (
    cd "$state"
    apt-get $trixie update -qq >&2
    apt-get $trixie download -qq docker-compose docker-buildx >&2
  )
  for package in "$state"/docker-*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C / ./usr/libexec/docker/cli-plugins
    rm "$package"
  done
fi

if ! ready; then
  mkdir -p "$state"
  echo "starting dockerd; its log is $state/dockerd.log" >&2
  setsid dockerd >"$state/dockerd.log" 2>&1 </dev/null &
  echo $! >"$state/dockerd.pid"
  tries=120
  until ready; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
      tail -20 "$state/dockerd.log" >&2
      echo 'dockerd does not answer after 60 s' >&2
      exit 1
    fi
    sleep 0.5
  done
fi
docker compose version >&2
