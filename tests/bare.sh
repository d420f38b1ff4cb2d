#!/bin/sh
# The test suite on a machine that lacks what most have: it runs as another user, in a clone that
# this user cannot write to, without HOME, in an ASCII locale, with every warning an error, under a
# path with a space and a letter beyond ASCII. Files that are written go to a temporary folder.
#
#     sudo tests/bare.sh [ARGUMENT OF PYTEST ...]
#
# BARE_USER (nobody) runs it, by PYTHON (/usr/bin/python3), which that user must be able to start;
# BARE_FOLDER, where it is given, is kept and used again.
set -eu

[ "$(id -u)" = 0 ] || { echo "tests/bare.sh changes to another user: run it as root" >&2; exit 2; }
user=${BARE_USER:-nobody}
checkout=$(cd "$(dirname "$0")/.." && pwd)
if [ -n "${BARE_FOLDER:-}" ]; then
  top=$BARE_FOLDER
else
  top=$(mktemp -d)
  trap 'rm -rf "$top"' EXIT
fi
clone="$top/ä b/dgr"
written="$top/ä b/t"

mkdir -p "$written"
chmod 755 "$top" "$top/ä b"
if [ -d "$clone" ]; then
  git -C "$clone" fetch --quiet origin HEAD
  git -C "$clone" reset --quiet --hard FETCH_HEAD
else
  git clone --quiet "$checkout" "$clone"
fi
make --no-print-directory -C "$clone" PYTHON="${PYTHON:-/usr/bin/python3}" install
(cd "$clone" && .venv/bin/python -m compileall -q pycog_dgr torch_dgr bridge tests)
chmod -R a+rX,go-w "$clone"
chown -R "$user" "$written"

cd "$clone"
setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups \
  env -i PATH=/usr/bin:/bin LC_ALL=C PYTHONWARNINGS=error PYTHONDONTWRITEBYTECODE=1 \
  TMPDIR="$written" NUMBA_CACHE_DIR="$written/numba" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
  .venv/bin/python -m pytest -q -p no:cacheprovider "$@"
