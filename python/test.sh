#!/bin/sh
# The Python client: lint, types, and its tests against the wheel, which is installed into a new environment.
# `python/test.sh ARGS` hands ARGS to pytest. `python/test.sh --all-versions ARGS` also runs the tests under each other
# Python that the client supports, with the newest packages that the wheel accepts there; it needs these interpreters.
set -eu
cd "$(dirname "$0")"
all_versions=
[ "${1:-}" = --all-versions ] && all_versions='3.10 3.11 3.12 3.13' && shift
cache=$PWD/../node_modules/.cache/python-client
venv=$cache/venv
wanted=requirements-test.txt
upstream=perfetto-0.8.0.tar.gz
upstream_sha256=519efbbdee16fe8b3632284794bdea89974783c84fdfab22bfbe68470f2c4077

python3 -c 'import ensurepip, venv' 2>/dev/null || {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
}
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
  echo "the Python client needs Python 3.10 or later; this is $(python3 --version)"
  exit 1
}
mkdir -p "$cache"
if ! cmp -s "$wanted" "$venv/requirements.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps --requirement "$wanted"
  cp "$wanted" "$venv/requirements.txt"
fi
# The last release of Perfetto's package that has perfetto.bigtrace; only its source has it.
[ -e "$cache/$upstream" ] ||
  "$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$cache" perfetto==0.8.0
echo "$upstream_sha256  $cache/$upstream" | sha256sum --check --quiet

"$venv/bin/ruff" check --quiet .
"$venv/bin/ruff" format --quiet --check .
"$venv/bin/mypy" --cache-dir "$cache/mypy"

rm -rf "$cache/dist"
"$venv/bin/python" -m build --wheel --no-isolation --outdir "$cache/dist" . >/dev/null
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --force-reinstall "$cache"/dist/*.whl
mkdir -p ../test-results
"$venv/bin/python" -m pytest --quiet --durations=5 "--gate-report=$PWD/../test-results/python.json" "$@"
[ -n "$all_versions" ] || exit 0

# Prints the path of an interpreter: on the PATH, or one of pyenv.
interpreter() {
  "python$1" -c '' 2>/dev/null && command -v "python$1" && return
  for program in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
    [ -x "$program" ] && echo "$program" && return
  done
  echo "there is no Python $1 on the PATH or in pyenv" >&2
  return 1
}

wheel=$(echo "$cache"/dist/*.whl)
for version in $all_versions; do
  python=$(interpreter "$version")
  other=$cache/venv-$version
  rm -rf "$other"
  "$python" -m venv "$other"
  "$other/bin/pip" install --quiet --disable-pip-version-check "$wheel[polars,progress,notebook]" \
    build cryptography grpcio-tools==1.85.1 hatchling hypothesis nbclient pytest setuptools
  echo "== $("$other/bin/python" --version), $("$other/bin/pip" freeze | grep -E '^(grpcio|numpy|pandas|polars|protobuf|pyarrow)==' | xargs)"
  "$other/bin/python" -m pytest --quiet "$@"
done
