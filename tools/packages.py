"""Print the Debian packages that are missing on this machine: a line each, name, tab, why.

    python3 tools/packages.py engine|tests|vm

`engine` is what the labs need: whether one is reachable is asked in the order in which the suite
looks for it. `tests` is what tests of the suite need besides, and are skipped without; `vm` is what the
guest of `make vm` is built with. The standard library is enough, because this runs before the virtual
environment is made.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import shutil
import socket
import struct
import sys
from collections.abc import Iterator

PATH = os.pathsep.join(
    [os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"]
)
SOCKET = "/var/run/docker.sock"
PT_INTERP = 3
ROOTLESS = {"rootlesskit": "rootlesskit", "slirp4netns": "slirp4netns", "newuidmap": "uidmap"}
"""what a rootless engine needs → its package"""
ROOTLESS_FOLDER = ":/usr/share/docker.io/contrib"
"""where Debian has dockerd-rootless.sh"""
BROWSERS = ("chromium", "google-chrome", "chromium-browser")


def chosen_context() -> str:
    """The docker context that the docker command would use."""
    if os.environ.get("DOCKER_CONTEXT"):
        return os.environ["DOCKER_CONTEXT"]
    folder = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    try:
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            return json.load(file).get("currentContext") or "default"
    except (OSError, ValueError, AttributeError):
        return "default"


def answers(path: str) -> bool:
    """Whether an engine answers on the socket `path`."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(path)
            client.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return b" 200 " in client.recv(4096).split(b"\r\n")[0]
        except PermissionError:
            return True  # root's engine: with sudo the suite will reach it
        except OSError:
            return False


def engine_is_reachable() -> bool:
    """An engine that the user has chosen is trusted: the suite itself complains if it is not there."""
    if os.environ.get("DOCKER_HOST") or chosen_context() != "default":
        return True
    return answers(SOCKET)


def is_static(path: str) -> bool:
    """Whether `path` is an ELF program that asks for no interpreter, that is, for no libraries."""
    try:
        with open(path, "rb") as file:
            header = file.read(64)
            if header[:4] != b"\x7fELF":
                return False
            order = "<" if header[5] == 1 else ">"
            if header[4] == 2:  # 64 bits
                (offset,) = struct.unpack_from(order + "Q", header, 32)
                size, count = struct.unpack_from(order + "HH", header, 54)
            else:
                (offset,) = struct.unpack_from(order + "I", header, 28)
                size, count = struct.unpack_from(order + "HH", header, 42)
            file.seek(offset)
            table = file.read(size * count)
        kinds = [struct.unpack_from(order + "I", table, size * i)[0] for i in range(count)]
    except (OSError, struct.error):
        return False
    return PT_INTERP not in kinds


def is_here(program: str) -> bool:
    return shutil.which(program, path=PATH) is not None


def apparmor_is_on() -> bool:
    try:
        with open("/sys/module/apparmor/parameters/enabled", encoding="ascii") as file:
            return file.read().startswith("Y")
    except OSError:
        return False


def is_snap(path: str) -> bool:
    """Whether `path` starts a snap, which sees no file in /tmp, nor any whose name has a dot first."""
    with open(path, "rb") as file:
        return os.path.basename(os.path.realpath(path)) == "snap" or b"/snap/" in file.read(4096)


def browser() -> str | None:
    """The path of the system's Chromium, or of the Chrome that is made of it."""
    paths = filter(None, map(shutil.which, BROWSERS))
    return next((path for path in paths if not is_snap(path)), None)


def has_chromium_package() -> bool:
    """Debian, and what is made of it; Ubuntu's package fetches a snap."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return False
    family = {release["ID"], *release.get("ID_LIKE", "").split()}
    return "debian" in family and "ubuntu" not in family


def has_library(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def missing_for_tests() -> Iterator[tuple[str, str]]:
    """The missing packages for tests in a browser, and of a rootless engine. Chromium brings a font."""
    if browser() is None and has_chromium_package():
        yield "chromium", "the tests of the pages run in it"
    if not has_library("libatomic.so.1"):
        yield "libatomic1", "playwright, which drives the browser, needs it"
    if not is_here("jq"):
        yield "jq", "lines to repeat by hand are tried, and those of runc and ctr have it"
    if os.geteuid() == 0 and shutil.which("dockerd-rootless.sh", path=PATH + ROOTLESS_FOLDER):
        for program, package in ROOTLESS.items():
            if not is_here(program):
                yield package, "the labs are tried as an ordinary user with a rootless engine"


def missing_for_engine() -> Iterator[tuple[str, str]]:
    """The missing packages for the labs, each with why it is needed.

    What an engine needs is asked for wherever dockerd is: also beside another engine, since the
    experiments that break or restart an engine start one of their own.
    """
    installed = is_here("dockerd")
    wanted = not installed and not engine_is_reachable()
    if wanted:
        yield "docker.io", "no Docker Engine answers here, and dockerd is not installed"
    if wanted or installed:
        if not is_here("iptables"):
            yield "iptables", "the engine makes the rules of its networks with it"
        if not is_here("ip"):
            yield "iproute2", "an engine of the labs' own gets its network namespace from ip"
        if apparmor_is_on() and not is_here("apparmor_parser"):
            yield (
                "apparmor",
                "this kernel has AppArmor on, and the engine loads its profile with it",
            )
        if not is_here("docker-registry"):
            yield "docker-registry", "the experiments with registries run one beside their engine"
        if not is_here("curl"):
            yield "curl", "the experiments with published ports ask a server by it"
        if not is_here("openssl"):
            yield "openssl", "those registries get their certificates from it"
    found = shutil.which("busybox")
    if not any(map(is_static, (found or "", "/bin/busybox", "/usr/bin/busybox"))):
        why = "the containers are made of a static busybox, and none is here"
        yield "busybox-static", f"{why} (it replaces the package busybox)" if found else why


def missing_for_vm() -> Iterator[tuple[str, str]]:
    """The missing packages for building the guest; without root it takes two more."""
    if not is_here("mmdebstrap"):
        yield "mmdebstrap", "the virtual machine's Debian is put together with it"
    if not is_here("mke2fs"):
        yield "e2fsprogs", "mke2fs makes the virtual machine's disk"
    if not is_here("depmod"):
        yield "kmod", "depmod and modprobe find the modules that its kernel needs first"
    if not is_here("xz"):
        yield "xz-utils", "its kernel's modules are compressed"
    if os.geteuid():
        if not is_here("fakeroot"):
            yield "fakeroot", "without root, the owners of its files are pretended"
        if not is_here("newuidmap"):
            yield "uidmap", "without root, its packages are installed in a user namespace"


if __name__ == "__main__":
    find = {
        "engine": missing_for_engine,
        "tests": missing_for_tests,
        "vm": missing_for_vm,
    }[sys.argv[1]]
    for package, why in find():
        print(f"{package}\t{why}")
