"""A run in a container of its own: another process is compared, as dockerd would be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.engine.daemons import Daemon
from fixtures.engine.host_namespaces import REMEDY, HostNamespaces

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="to make and enter namespaces takes root")

DOCKERD = Daemon(os.getpid(), os.getppid(), "dockerd")
PROJECT = Path(__file__).parents[2]


def seen_from(container: tuple[str, ...], program: str) -> str:
    """What a run says that is in other namespaces than this process, which plays dockerd."""
    source = f"from pathlib import Path\nfrom {__name__} import *\n{program}"
    done = subprocess.run(
        [*container, sys.executable, "-c", source],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


OUTSIDE = f"""\
found = HostNamespaces.of([{DOCKERD!r}])
print(*found.outside)
"""
ENTERED = """\
import subprocess
command = [*found.entering(), "readlink", "/proc/self/ns/net", "/proc/self/ns/uts"]
print(subprocess.run(command, capture_output=True, text=True).stdout)
"""
REFUSED = f"""\
try:
    HostNamespaces.of([{DOCKERD!r}])
except Exception as error:
    print(type(error).__name__, error)
"""


def test_on_the_machine_of_the_engine_nothing_has_to_be_entered() -> None:
    found = HostNamespaces.of([DOCKERD])

    assert (found.outside, found.entering(mounts=True), found.have(PROJECT)) == ((), [], True)


@pytest.mark.parametrize(
    ("kinds", "outside"),
    [
        (("--net", "--uts"), "net uts"),
        (("--net", "--uts", "--ipc", "--cgroup"), "cgroup ipc net uts"),
        # The same files at the same places: a session's own mounts, as WSL has them.
        (("--net", "--uts", "--mount"), "net uts"),
    ],
)
def test_the_namespaces_of_the_engine_s_host_are_entered(
    kinds: tuple[str, ...], outside: str
) -> None:
    here = (os.readlink("/proc/self/ns/net"), os.readlink("/proc/self/ns/uts"))

    said = seen_from(("unshare", *kinds), OUTSIDE + ENTERED)

    assert said.splitlines() == [outside, *here]


def test_a_run_with_files_of_its_own_sees_the_mounts_of_the_host(tmp_path: Path) -> None:
    """A tmpfs for a root, with this machine's programs in it: so a container has them."""
    (tmp_path / "root").mkdir()
    root = f"""\
mount -t tmpfs none {tmp_path}/root && cd {tmp_path}/root && mkdir -p proc tmp &&
for each in /*; do
    case $each in /proc|/tmp) continue;; esac
    if test -L $each; then cp -a $each .
    elif test -d $each; then mkdir .$each && mount --rbind $each .$each; fi
done
mount -t proc proc proc && exec chroot . env --chdir={PROJECT} "$@"
"""
    shown = 'print(found.have(Path("/usr")), found.have(Path("/tmp")), found.entering(mounts=True))'

    said = seen_from(("unshare", "--mount", "sh", "-ec", root, "sh"), OUTSIDE + shown)

    assert said.splitlines() == [
        "mnt",
        f"True False ['nsenter', '--target={os.getpid()}', '--mount']",
    ]


def test_where_the_namespaces_may_not_be_entered_it_is_said_how_they_may() -> None:
    deprived = ("unshare", "--net", "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")

    said = seen_from(deprived, REFUSED)

    assert said.startswith(
        "EngineUnreachable the labs are in namespaces of their own (net), as in a container, and can "
        "not enter those of the engine: nsenter: "
    )
    assert said.endswith(f"\nTry: {REMEDY}")
