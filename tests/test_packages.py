"""What a machine lacks is named with the reason, and nothing else."""

from __future__ import annotations

import pytest

from tools import packages


def missing(monkeypatch: pytest.MonkeyPatch, *here: str, engine: bool = False) -> list[str]:
    """The packages that are missing where these programs are, and perhaps an engine answers."""
    monkeypatch.setattr(packages, "is_here", lambda program: program in here)
    monkeypatch.setattr(packages, "engine_is_reachable", lambda: engine)
    monkeypatch.setattr(packages, "apparmor_is_on", lambda: False)
    monkeypatch.setattr(packages, "is_static", lambda path: True)
    return [package for package, why in packages.missing_for_engine() if why]


def test_where_the_labs_start_an_engine_they_start_a_registry_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert missing(monkeypatch) == [
        *("docker.io", "iptables", "iproute2"),
        *("docker-registry", "curl", "openssl"),
    ]
    assert missing(monkeypatch, "dockerd", "iptables", "ip", "curl", "openssl") == [
        "docker-registry"
    ]


def test_beside_the_user_s_engine_alone_nothing_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert missing(monkeypatch, engine=True) == []


def test_where_all_is_there_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    there = ("dockerd", "iptables", "ip", "docker-registry", "curl", "openssl")

    assert missing(monkeypatch, *there) == []


def test_without_root_the_guest_of_make_vm_takes_two_packages_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packages, "is_here", lambda program: program in ("mke2fs", "xz"))
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)
    as_root = [package for package, why in packages.missing_for_vm() if why]
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    as_user = [package for package, why in packages.missing_for_vm() if why]

    assert as_root == ["mmdebstrap", "kmod"]
    assert as_user == [*as_root, "fakeroot", "uidmap"]


def test_only_root_who_can_have_a_rootless_engine_gets_what_that_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lacked(uid: int, script: str | None) -> list[str]:
        monkeypatch.setattr(packages.os, "geteuid", lambda: uid)
        monkeypatch.setattr(packages.shutil, "which", lambda program, path: script)
        return [package for package, _ in packages.missing_for_tests()]

    monkeypatch.setattr(packages, "browser", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(packages, "has_library", lambda name: True)
    monkeypatch.setattr(packages, "is_here", lambda program: program in ("jq", "newuidmap"))

    assert lacked(0, "/usr/share/docker.io/contrib/dockerd-rootless.sh") == [
        "rootlesskit",
        "slirp4netns",
    ]
    assert lacked(0, None) == []
    assert lacked(1000, "/usr/share/docker.io/contrib/dockerd-rootless.sh") == []
