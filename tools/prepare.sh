#!/usr/bin/env bash
# Prepares what a target of the Makefile needs, and announces it; where all is there, does nothing.
#
#   tools/prepare.sh VENV REQUIREMENTS [engine [browser]|vm]
#
# The environment VENV is made from the file REQUIREMENTS. With "engine" or "vm", the packages that
# tools/packages.py names for it are installed too. With "browser" so is a Chromium; where that fails
# the tests that need one are skipped. A call that was interrupted is mended by the next one.
set -eu
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive
. tools/root.sh

venv=$1
requirements=$2
engine=${3:-}
browser=${4:-}
python=${PYTHON:-python3}

made_from=$venv/made-from   # written last: without it the environment is made anew
installing=$venv/installing # packages whose installation has begun and was not seen to end

fail() {
    echo "prepare: $1" >&2
    [ $# = 1 ] || printf '    %s\n' "${@:2}" >&2
    exit 1
}

# attempt COMMAND…: silent where the command works; where it does not, one message with the end of
# the log, where it may be what an earlier command has warned of.
attempt() {
    local command=$*
    "$@" >>"$log" 2>&1 </dev/null 9<&- ||
        fail "this command failed: ${command#"${as_root[*]} "}" "It said at its end:" \
            "$(tail -n 20 "$log" | sed 's/^/| /; 2,$s/^/    /')" \
            "Mend that and call again; what was done is not done twice."
}

find_python() {
    version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) ||
        fail "$python does not run here, and the labs need Python 3.11 or newer." \
            "Debian, Ubuntu: apt-get install python3" \
            "If it has another name or place: make labs PYTHON=/path/to/python3"
    printf '%s\n' 3.11 "$version" | sort --version-sort --check=quiet ||
        fail "$python is Python $version, and the labs need Python 3.11 or newer." \
            "Debian 12, Ubuntu 24.04 and later bring one; on Ubuntu 22.04: apt-get install python3.11" \
            "If it is not called python3, name it: make labs PYTHON=python3.11"
}

what_venv_is_made_from() {
    cat requirements.txt "$requirements" | sha256sum
    echo "$python, in $(pwd -P)"
    "$venv/bin/python" -V 2>&1
}

venv_is_made() {
    [ -f "$made_from" ] && [ "$(cat "$made_from")" = "$(what_venv_is_made_from)" ]
}

# Any Python will do for tools/packages.py; that of the environment starts sooner than some wrapper
# called python3.
packages() {
    local any_python=$venv/bin/python
    $venv_made || any_python=$python
    "$any_python" -I -S tools/packages.py "$1"
}

# The missing packages: a line each, with the name, a tab, and why it is needed.
missing_packages() {
    if ! $venv_made; then
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            printf '%s\t%s\n' "$venv_package" "$python makes no environment without it"
    fi
    [ -z "$engine" ] || packages engine
    [ ! -f "$installing" ] || cat "$installing"
}

apt_install() {
    attempt "${as_root[@]}" apt-get -qq install --yes --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@"
}

# install_packages LINES, as missing_packages prints them.
install_packages() {
    local names
    mapfile -t names <<<"$(cut -f 1 <<<"$1" | sort -u)"
    command -v apt-get >/dev/null ||
        fail "there is no apt-get here to install what is missing:" "${names[@]}" \
            "Install by hand what your distribution has in their place, and call again."
    sort -t $'\t' -k 1,1 -u <<<"$1" | sed 's/^/prepare: installing /; s/\t/: /'
    if [ -f "$installing" ]; then
        "${as_root[@]}" dpkg --configure -a >>"$log" 2>&1 </dev/null 9<&- ||
            apt_install --fix-broken
    fi
    echo "$1" >"$installing"
    attempt "${as_root[@]}" apt-get -qq update
    if [[ " ${names[*]} " == *" docker-registry "* ]]; then
        apt_install_without_service docker-registry "${names[@]}"
    else
        apt_install "${names[@]}"
    fi
    rm "$installing"
}

# apt_install_without_service SERVICE PACKAGE…: its package would start it now and at each boot, for
# the whole network. /usr/sbin/policy-rc.d is what Debian asks before it starts a service.
apt_install_without_service() {
    local service=$1 policy=/usr/sbin/policy-rc.d
    shift
    if [ -e "$policy" ]; then
        apt_install "$@"
    else
        printf '#!/bin/sh\ncase $1 in %s*) exit 101 ;; esac\n' "$service" |
            "${as_root[@]}" install -m 755 /dev/stdin "$policy"
        trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d; rm -f "$log"' EXIT
        apt_install "$@"
        "${as_root[@]}" rm -f "$policy"
    fi
    if command -v systemctl >/dev/null; then
        "${as_root[@]}" systemctl --quiet disable "$service" >>"$log" 2>&1 || true
    elif command -v update-rc.d >/dev/null; then
        "${as_root[@]}" update-rc.d "$service" disable >>"$log" 2>&1 || true
    fi
}

claim_venv() {
    mkdir -p "$venv"
    [ -w "$venv" ] || fail "$venv is to be made anew, and it belongs to $(stat -c %U "$venv")." \
        "Remove it: sudo rm -r $venv"
}

make_venv() {
    echo "prepare: making $venv from $requirements, with Python $version"
    : >"$log"
    attempt "$python" -m venv --clear "$venv"
    attempt "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
    what_venv_is_made_from >"$made_from"
}

exec 9<tools/prepare.sh
flock 9 # of two calls at once the second waits, and finds all done

venv_made=true
if ! venv_is_made; then
    venv_made=false
    find_python
    venv_package=python${version%.*}-venv
fi
missing=$(missing_packages)
missing_browser=
[ -z "$browser" ] || missing_browser=$(packages browser)
can_be_root || missing_browser= # the tests say what is missing
if $venv_made && [ -z "$missing$missing_browser" ]; then
    exit 0
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'echo "prepare: interrupted; the next call goes on" >&2; exit 130' INT

if [ "$missing" ] && can_be_root; then
    claim_venv
    install_packages "$missing"
elif ! $venv_made && [[ $missing == "$venv_package"* ]]; then
    fail "$python makes no environment without $venv_package, which is not installed." \
        "Installing it needs root, or sudo without a password. Try: sudo apt-get install $venv_package"
fi
if [ "$missing_browser" ]; then
    claim_venv
    # In a shell of its own, which may fail; the next call tries again.
    if ! (install_packages "$missing_browser"); then
        rm -f "$installing"
        echo "prepare: so the tests in a browser are skipped" >&2
    fi
fi
# What the engine needs and this user may not install, the suite itself asks for, or does without.
if ! $venv_made; then
    claim_venv
    make_venv
fi
