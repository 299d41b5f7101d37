#!/bin/sh
# Superset from PyPI, as test/e2e/deploy/superset.deploy-test.ts drives it where there is no image of it; and a browser.
set -eu
cd "$(dirname "$0")/../.."
venv=node_modules/.cache/superset
wanted=superset/requirements-lock.txt

install() {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || install chromium
command -v clickhouse-client >/dev/null || install clickhouse-client
python3 -c 'import ensurepip, venv' 2>/dev/null || install python3-venv
if ! cmp -s "$wanted" "$venv/requirements.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement "$wanted"
  cp "$wanted" "$venv/requirements.txt"
fi
