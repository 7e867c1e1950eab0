#!/usr/bin/env bash
# Prepares what a target of the Makefile needs, and announces it; where all is there, does nothing.
#
#   tools/prepare.sh VENV REQUIREMENTS [engine|vm|tests]
#   tools/prepare.sh undo
#
# The environment VENV is made from the file REQUIREMENTS. With a third word the packages that
# tools/packages.py names for it are installed too; "tests" are those for an engine, and others that are
# for tests alone: where one can not be installed, those tests are skipped. A call that was interrupted
# is mended by the next one. What was done is noted in .prepared, and "undo" takes it back.
set -eu
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive

venv=$1
requirements=${2:-}
what=${3:-}
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
        fail "this command failed: ${command#tools/root.sh }" "It said at its end:" \
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
    sha256sum <"$requirements"
    echo "$python, in $(pwd -P)"
    "$venv/bin/python" -V 2>&1
}

venv_is_made() {
    [ -f "$made_from" ] && [ "$(cat "$made_from")" = "$(what_venv_is_made_from)" ]
}

# Any Python will do for what the standard library is enough for; that of the environment starts
# sooner than some wrapper called python3.
any_python() {
    local program=$venv/bin/python
    $venv_made || program=$python
    "$program" -I -S "$@"
}

# The missing packages: a line each, with the name, a tab, and why it is needed.
missing_packages() {
    if ! $venv_made; then
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            printf '%s\t%s\n' "$venv_package" "$python makes no environment without it"
    fi
    [ -z "$what" ] || any_python tools/packages.py "${what/tests/engine}"
    [ ! -f "$installing" ] || cat "$installing"
}

# install_packages LINES, as missing_packages prints them.
install_packages() {
    local names
    mapfile -t names <<<"$(cut -f 1 <<<"$1" | sort -u)"
    command -v apt-get >/dev/null ||
        fail "there is no apt-get here to install what is missing:" "${names[@]}" \
            "Install by hand what your distribution has in their place, and call again."
    sort -t $'\t' -k 1,1 -u <<<"$1" | sed 's/^/prepare: installing /; s/\t/: /'
    echo "prepare: that takes a minute or two"
    echo "$1" >"$installing"
    attempt tools/root.sh apt-get -qq update
    any_python tools/installed.py install "${names[@]}" || exit 1
    rm "$installing"
}

claim_venv() {
    mkdir -p "$venv"
    [ -w "$venv" ] || fail "$venv is to be made anew, and it belongs to $(stat -c %U "$venv")." \
        "Remove it: sudo rm -r $venv"
}

make_venv() {
    echo "prepare: making $venv from $requirements, with Python $version; that takes a minute"
    : >"$log"
    attempt "$python" -m venv --clear "$venv"
    attempt "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r "$requirements"
    grep -qsxF "environment"$'\t'"$venv" .prepared || echo "environment"$'\t'"$venv" >>.prepared
    what_venv_is_made_from >"$made_from"
}

# Of two calls at once the second waits, and finds all done. Nobody else can make it wait: only the
# owner of the checkout can open the file. Who can not is to find all done, and changes nothing here.
lock=.preparing
if [ ! -e $lock ] && (umask 077 && : >$lock) 2>/dev/null && [ "$(id -u)" = 0 ]; then
    chown --reference=. $lock
fi
if [ -w $lock ]; then
    exec 9<>$lock # over NFS only what may be written can be locked
    flock 9
fi

if [ "$venv" = undo ]; then
    exec "$python" -I -S tools/installed.py undo
fi

venv_made=true
if ! venv_is_made; then
    venv_made=false
    find_python
    venv_package=python${version%.*}-venv
fi
missing=$(missing_packages)
missing_for_tests=
[ "$what" != tests ] || missing_for_tests=$(any_python tools/packages.py tests)
if [ "$missing$missing_for_tests" ] && ! tools/root.sh true; then
    missing_for_tests= # the tests say what is missing
    can_be_root=false
else
    can_be_root=true
fi
if $venv_made && [ -z "$missing$missing_for_tests" ]; then
    exit 0
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'echo "prepare: interrupted; the next call goes on" >&2; exit 130' INT

if [ "$missing" ] && $can_be_root; then
    claim_venv
    install_packages "$missing"
    # What came with the engine may want more.
    [ "$what" != tests ] || missing_for_tests=$(any_python tools/packages.py tests)
elif ! $venv_made && [[ $missing == "$venv_package"* ]]; then
    fail "$python makes no environment without $venv_package, which is not installed." \
        "Installing it needs root, or sudo without a password. Try: sudo apt-get install $venv_package"
fi
if [ "$missing_for_tests" ]; then
    claim_venv
    # In a shell of its own, which may fail; the next call tries again.
    if ! (install_packages "$missing_for_tests"); then
        rm -f "$installing"
        echo "prepare: so the tests that need them are skipped" >&2
    fi
fi
# What the engine needs and this user may not install, the suite itself asks for, or does without.
if ! $venv_made; then
    claim_venv
    make_venv
fi
