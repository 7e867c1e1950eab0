"""The labs as an ordinary user: in the group of an engine's socket, or with a rootless engine.

A folder of its own has all that such a run needs: a copy of the suite, its environment, a home.
Source: https://docs.docker.com/engine/install/linux-postinstall/, …/engine/security/rootless/.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from fixtures import static_archive
from fixtures.engine.ownership import Owner
from fixtures.engine.private import START_SECONDS, STOP_SECONDS, PrivateEngine
from fixtures.vm.parcel import SUITE, USER

# Debian has dockerd-rootless.sh in the last of these, and Docker's own package in /usr/bin.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/share/docker.io/contrib"
_NEEDED = {
    "dockerd-rootless.sh": "apt-get install docker.io",
    "setpriv": "apt-get install util-linux",
    "rootlesskit": "apt-get install rootlesskit",
    "slirp4netns": "apt-get install slirp4netns",
    "newuidmap": "apt-get install uidmap",
    "/etc/subuid": "touch /etc/subuid",
    "/etc/subgid": "touch /etc/subgid",
    "/dev/net": "modprobe tun",
}
"""what a rootless engine needs → how to get it"""

# Who may use which users is read from /etc by newuidmap; /dev/net/tun is not everybody's everywhere.
# RootlessKit has its sockets below TMPDIR, and the name of a socket has 107 characters at most.
_ROOTLESS = f"""\
set -e
cd "$1" # nothing of it reaches the host: its mounts are the engine's own
for each in passwd group subuid subgid; do
    cp /etc/$each .
done
echo "isolation-labs:x:{USER}:{USER}::$1/home:/bin/sh" >>passwd
echo "isolation-labs:x:{USER}:" >>group
for each in subuid subgid; do
    echo "isolation-labs:1000000000:65536" >>$each
done
for each in passwd group subuid subgid; do mount --bind $each /etc/$each; done
mount -t tmpfs -o mode=1777 tun /dev/net
mknod -m 666 /dev/net/tun c 10 200
cd home
shift
# The name of a socket has 104 characters at most; that folder is in its own mount namespace.
# systemd would be asked for cgroups over a bus that only a user has who is logged in.
exec setpriv --reuid={USER} --regid={USER} --clear-groups --pdeathsig=TERM \\
    dockerd-rootless.sh --exec-root=/run/docker --exec-opt=native.cgroupdriver=cgroupfs "$@"
"""


Engine = Callable[[Owner, Path, Path | None], AbstractContextManager[tuple[list[str], str]]]
"""(whose it is, an empty folder for its files, one with its programs where it is not the installed one)
→ (the command that runs another as the user, URL)"""


class Failed(Exception):
    """The user has no engine; the message says why."""


def missing() -> str | None:
    """What a rootless engine lacks on this machine, and how to get it; None where nothing."""
    for what, remedy in _NEEDED.items():
        if shutil.which(what, path=PATH) is None and not Path(what).exists():
            return f"a rootless engine needs {what}\nTry: {remedy}"
    return None


@contextmanager
def in_the_group(
    owner: Owner, folder: Path, programs: Path | None
) -> Iterator[tuple[list[str], str]]:
    """An engine of root's whose socket belongs to the user's group: how to run what, and its URL.

    The user's home is made in `folder`. Raises BenchError where the engine does not start.
    """
    _home(folder)
    helpers = static_archive.daemon_json(programs) if programs else {}
    engine = PrivateEngine(owner, 0, {"group": str(USER)} | helpers)
    try:
        engine.start()
        yield ["nsenter", f"--net={engine.network_namespace}", *_as_the_user()], engine.endpoint.url
    finally:
        engine.remove()


@contextmanager
def rootless(owner: Owner, folder: Path, programs: Path | None) -> Iterator[tuple[list[str], str]]:
    """An engine of the user's own: how to run what, and its URL. Its files are in the empty `folder`.

    Raises Failed with what it said where it does not start.
    """
    if lacks := missing():
        raise Failed(lacks)
    _home(folder)
    helpers = static_archive.daemon_json(programs) if programs else {}
    flags = [f"--{key}={value}" for key, value in helpers.items()]
    log, socket = folder / "log", folder / "run/docker.sock"
    with log.open("wb") as said:
        engine = subprocess.Popen(
            ["unshare", "--mount", "--propagation=slave", "sh", "-c", _ROOTLESS, "sh", str(folder),
             *flags],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            env=environment(folder, programs)
            | {"DOCKERD_ROOTLESS_ROOTLESSKIT_NET": "slirp4netns", "TMPDIR": "/dev/net"},
        )  # fmt: skip
    try:
        until = time.monotonic() + START_SECONDS
        while "API listen on" not in log.read_text(errors="replace"):
            if engine.poll() is not None or time.monotonic() > until:
                last = log.read_text(errors="replace").splitlines()[-5:]
                raise Failed("\n  ".join(["the rootless engine does not start; it said", *last]))
            time.sleep(0.1)
        yield _as_the_user(), f"unix://{socket}"
    finally:
        engine.terminate()
        try:
            engine.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            engine.kill()
            engine.wait()


def copy(project: Path, folder: Path) -> Path:
    """A copy of the suite that the user may read, and in it run the labs."""
    place = folder / "suite"
    place.mkdir()
    for name in SUITE:
        each = project / name
        if each.is_dir():
            shutil.copytree(each, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(each, place)
    # Its Python can be one in a home that is closed to others, so it is only the packages' place.
    shutil.copytree(sysconfig.get_path("purelib"), folder / "packages")
    # What root alone may read, as in a checkout of root's own, is the user's to read there.
    subprocess.run(["chmod", "-R", "a+rX", place, folder / "packages"], check=True)
    reports = place / "reports"
    reports.mkdir()
    os.chown(reports, USER, USER)
    return place


def events(copy: Path) -> bytes:
    """The events of the run in that copy, as far as the user may read them: links lead no further."""
    read = [*_as_the_user(), "sh", "-c", "cat reports/runs/*/events.jsonl"]
    return subprocess.run(read, cwd=copy, capture_output=True, check=False).stdout


def check_python(who: list[str], settings: dict[str, str]) -> None:
    """Raise Failed where the user's python3 can not run the labs."""
    program = "import sys, pytest, docker, psutil; sys.exit(sys.version_info < (3, 11))"
    tried = subprocess.run(
        [*who, "python3", "-c", program],
        capture_output=True, text=True, check=False, env=settings,
    )  # fmt: skip
    if tried.returncode:
        said = tried.stderr.strip().splitlines()[-1:] or ["it is older than Python 3.11"]
        raise Failed(f"the python3 in the user's PATH does not run the labs: {said[0]}")


def check_programs(who: list[str], programs: Path) -> None:
    """Raise Failed where the user may not run these: it would be the installed ones then."""
    if subprocess.run([*who, "test", "-x", programs / "docker"], check=False).returncode:
        raise Failed(
            f"user {USER} may not run the programs in {programs}\nTry: a folder that everybody may read"
        )


def environment(folder: Path, programs: Path | None) -> dict[str, str]:
    """What the user has of environment variables, with a home in `folder`."""
    kept = {name: os.environ[name] for name in ("COLUMNS", "TERM") if name in os.environ}
    return kept | {
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(folder / "packages"),
        "PATH": static_archive.in_front(programs, PATH) if programs else PATH,
        "PYTHONDONTWRITEBYTECODE": "1",
        "USER": "isolation-labs",
        "XDG_RUNTIME_DIR": str(folder / "run"),
    }


def _home(folder: Path) -> None:
    for name in ("home", "run"):
        (folder / name).mkdir(mode=0o700)
        os.chown(folder / name, USER, USER)


def _as_the_user() -> list[str]:
    who = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    return ["setpriv", *who, "--pdeathsig=TERM"]
