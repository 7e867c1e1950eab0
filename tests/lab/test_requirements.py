"""What an engine lacks is read from what it says of itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.engine.product import DOCKER, PODMAN
from fixtures.lab.requirements import OF_THE_ENGINE, REQUIREMENTS, probe

ROOTLESS = ["name=seccomp,profile=builtin", "name=rootless"]
REMAPPED = ["name=seccomp,profile=builtin", "name=userns"]


def engine(product: str = DOCKER, version: str = "29.7.2", **information: object) -> Any:
    return SimpleNamespace(product=product, version={"Version": version}, information=information)


def filtered(profile: str) -> Any:
    return engine(SecurityOptions=[f"name=seccomp,profile={profile}"])


@pytest.mark.parametrize(
    ("name", "lacking", "having"),
    [
        ("cgroups", engine(CgroupDriver="none"), engine(CgroupDriver="systemd")),
        ("user-namespace-of-the-host", engine(SecurityOptions=ROOTLESS), engine()),
        (
            "user-namespace-of-the-host",
            engine(SecurityOptions=REMAPPED),
            engine(SecurityOptions=[]),
        ),
        ("libnetwork", engine(PODMAN), engine()),
        ("seccomp", filtered("unconfined"), filtered("builtin")),
        ("seccomp", engine(SecurityOptions=["name=userns"]), filtered("/etc/docker/seccomp.json")),
        ("default-filter", filtered("/etc/docker/seccomp.json"), filtered("default")),
        ("default-filter", filtered("unconfined"), filtered("builtin")),
        ("runc", engine(DefaultRuntime="nvidia"), engine(DefaultRuntime="runc")),
        ("time-namespaces", engine(PODMAN), engine()),
        ("time-namespaces", engine(version="20.10.24+dfsg1"), engine(version="29.5.0-rc.1")),
        ("time-namespaces", engine(version="29.4.3"), engine(version="30.0.0")),
        ("time-namespaces", engine(version="dev"), engine(version="29.10.1")),
    ],
)
def test_what_an_engine_lacks_is_said_with_what_to_do(name: str, lacking: Any, having: Any) -> None:
    found = probe(name, lacking)

    assert found is not None
    assert all(found)
    assert probe(name, having) is None


def test_what_depends_on_the_engine_is_known() -> None:
    assert REQUIREMENTS.keys() >= OF_THE_ENGINE
