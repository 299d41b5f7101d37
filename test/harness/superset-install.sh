#!/bin/sh
# Superset from PyPI, as test/e2e/deploy/superset.deploy-test.ts drives it where there is no image of it; and a browser.
set -eu
cd "$(dirname "$0")/../.."
venv=node_modules/.cache/superset
# What is installed: the programs are installed again if one of these changes.
wanted=$(cat superset/install.sh superset/requirements-lock.txt superset/requirements-installer.txt | sha256sum)

install() {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || install chromium
command -v clickhouse-client >/dev/null || install clickhouse-client
python3 -c 'import ensurepip, venv' 2>/dev/null || install python3-venv
if [ "$wanted" != "$(cat "$venv/installed" 2>/dev/null)" ]; then
  rm -rf "$venv"
  superset/install.sh "$venv"
  echo "$wanted" >"$venv/installed"
fi
