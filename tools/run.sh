#!/usr/bin/env bash
# Runs the Python of .venv with the given arguments; as root, where this user may without a password,
# because the kernel shows root what it hides from others. The exit code is Python's.
set -eu
cd "$(dirname "$0")/.."

mkdir -p reports
if [ "$(id -u)" = 0 ] || ! tools/root.sh true; then
    exec .venv/bin/python "$@"
fi

# Of what root writes only reports may stay; the suite gives them to the owner of the folder. Where a
# link leads is not to be given to anybody.
[ -O reports ] || [ -L reports ] || tools/root.sh chown --no-dereference "$(id -u):$(id -g)" reports
export PYTHONDONTWRITEBYTECODE=1 PYTEST_ADDOPTS="${PYTEST_ADDOPTS:-} -p no:cacheprovider"
exec tools/root.sh .venv/bin/python "$@"
