"""A remedy is of this machine's family."""

from __future__ import annotations

import platform

import pytest

from fixtures.kernel.packages import install


@pytest.mark.parametrize(
    ("release", "line"),
    [
        ({"ID": "debian"}, "apt-get install docker.io iproute2 mount util-linux"),
        (
            {"ID": "raspbian", "ID_LIKE": "debian"},
            "apt-get install docker.io iproute2 mount util-linux",
        ),
        ({"ID": "fedora"}, "dnf install moby-engine iproute util-linux"),
        ({"ID": "rhel", "ID_LIKE": "fedora"}, "dnf install moby-engine iproute util-linux"),
        (
            {"ID": "rocky", "ID_LIKE": "rhel centos fedora"},
            "dnf install moby-engine iproute util-linux",
        ),
        ({}, "apt-get install docker.io iproute2 mount util-linux"),
    ],
)
def test_packages_have_the_names_that_the_machine_knows(
    monkeypatch: pytest.MonkeyPatch, release: dict[str, str], line: str
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)

    assert install("docker.io", "iproute2", "mount", "util-linux") == line


def test_a_machine_that_says_nothing_of_itself_is_taken_for_debian(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent() -> dict[str, str]:
        raise FileNotFoundError("/etc/os-release")

    monkeypatch.setattr(platform, "freedesktop_os_release", silent)

    assert install("curl") == "apt-get install curl"
