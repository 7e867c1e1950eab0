# shellcheck shell=bash
# For sourcing: how this user runs a command as root, where no password is asked for.

can_be_root() {
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

# "${as_root[@]}" goes in front of the command. sudo hands on next to nothing of the environment,
# so what the labs and apt-get go by is named.
as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo -n env)
    for name in $(compgen -e); do
        case $name in
        DOCKER_* | CI | HOME | DEBIAN_FRONTEND | \
            http_proxy | https_proxy | no_proxy | HTTP_PROXY | HTTPS_PROXY | NO_PROXY)
            as_root+=("$name=${!name}")
            ;;
        esac
    done
fi
