#!/bin/sh
# `superset/install.sh DIR`: Superset from PyPI with all that it needs, in a new virtual environment DIR, as pinned in
# requirements-lock.txt with hashes. Needs Python 3.11 (PYTHON names another program than python3) with venv.
set -eu
here=$(CDPATH= cd "$(dirname "$0")" && pwd)
venv=${1:?usage: superset/install.sh DIR}
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
  echo "Superset's packages are pinned for Python 3.11; this is $("$python" --version). Set PYTHON to a Python 3.11" >&2
  exit 1
}
"$python" -m venv "$venv"
# uv installs in a fraction of the time of pip. Two packages have no wheels: they are built with the setuptools of
# requirements-installer.txt, because uv would fetch one without a hash.
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --require-hashes --no-deps \
  --requirement "$here/requirements-installer.txt"
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --link-mode copy --compile-bytecode \
  --no-build-isolation-package odfpy --no-build-isolation-package wtforms-json \
  --require-hashes --no-deps --requirement "$here/requirements-lock.txt"
# Whether a package is missing, or of a version that another one does not accept.
"$venv/bin/uv" pip check --quiet --python "$venv/bin/python"
