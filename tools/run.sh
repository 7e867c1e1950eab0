#!/usr/bin/env bash
# Runs the Python of .venv with the given arguments; as root, where this user may without a password,
# because the kernel shows root what it hides from others. The exit code is Python's.
set -eu
cd "$(dirname "$0")/.."

# Of what root writes, only the reports may stay, and those the suite gives to the owner of reports/.
if [ "$(id -u)" != 0 ]; then
    export PYTHONDONTWRITEBYTECODE=1
    export PYTEST_ADDOPTS="${PYTEST_ADDOPTS:-} -p no:cacheprovider"
fi
. tools/root.sh

mkdir -p reports
can_be_root || exec .venv/bin/python "$@"
[ -O reports ] || "${as_root[@]}" chown "$(id -u):$(id -g)" reports
exec "${as_root[@]}" .venv/bin/python "$@"
