"""What an engine lacks is read from what it says of itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.engine.product import DOCKER, PODMAN
from fixtures.lab.requirements import probe

ROOTLESS = ["name=seccomp,profile=builtin", "name=rootless"]
REMAPPED = ["name=seccomp,profile=builtin", "name=userns"]


def engine(product: str = DOCKER, **information: object) -> Any:
    return SimpleNamespace(product=product, information=information)


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
    ],
)
def test_what_an_engine_lacks_is_said_with_what_to_do(name: str, lacking: Any, having: Any) -> None:
    found = probe(name, lacking)

    assert found is not None
    assert all(found)
    assert probe(name, having) is None
