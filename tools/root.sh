#!/usr/bin/env bash
# Runs a command as root, where this user may without a password; fails where not.
#
#   tools/root.sh COMMAND…
#
# sudo hands on next to nothing of the environment, so what the labs and apt-get go by is handed on
# here: in a file that only this user and root can read, and that root removes before it does anything
# else. The words of a command are no place for it: everybody sees them in ps, and they are in sudo's log.
set -eu

[ "$(id -u)" != 0 ] || exec "$@"
sudo -n bash -c : 2>/dev/null || exit 1

settings=$(mktemp)
for name in CI DEBIAN_FRONTEND HOME PYTEST_ADDOPTS PYTHONDONTWRITEBYTECODE \
    DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG DOCKER_CERT_PATH DOCKER_TLS_VERIFY \
    http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name+set}" ] || printf '%s=%s\0' "$name" "${!name}"
done >"$settings"
# shellcheck disable=SC2016 # root's shell expands it
exec sudo -n bash -c '
    mapfile -d "" -t settings <"$1" && rm -f "$1" || exit
    for each in "${settings[@]}"; do export "$each"; done
    shift
    exec "$@"
' root.sh "$settings" "$@"
