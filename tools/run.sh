#!/usr/bin/env bash
# Runs the Python of .venv with the given arguments; as root, where this user may without a password,
# because the kernel shows root what it hides from others. The exit code is Python's.
set -eu
cd "$(dirname "$0")/.."
. tools/root.sh

mkdir -p reports
if [ "$(id -u)" = 0 ] || ! can_be_root; then
    exec .venv/bin/python "$@"
fi

# Of what root writes only reports may stay; the suite gives them to the owner of the folder.
[ -O reports ] || "${as_root[@]}" chown "$(id -u):$(id -g)" reports
exec "${as_root[@]}" PYTHONDONTWRITEBYTECODE=1 \
    PYTEST_ADDOPTS="${PYTEST_ADDOPTS:-} -p no:cacheprovider" .venv/bin/python "$@"
