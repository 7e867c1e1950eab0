"""What an engine lacks is read from what it says of itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.engine.product import DOCKER, PODMAN
from fixtures.lab import requirements
from fixtures.lab.requirements import OF_THE_ENGINE, REQUIREMENTS, probe

ROOTLESS = ["name=seccomp,profile=builtin", "name=rootless"]
REMAPPED = ["name=seccomp,profile=builtin", "name=userns"]


def engine(
    product: str = DOCKER, version: str = "29.7.2", private: object = None, **information: object
) -> Any:
    return SimpleNamespace(
        product=product, version={"Version": version}, private=private, information=information
    )


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


def test_swarms_of_private_engines_with_nftables_there_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of a user's engine have not its configuration."""
    for other in ("_private_engine", "_etc_docker", "_docker_cli"):
        monkeypatch.setattr(requirements, other, lambda engine: None)
    monkeypatch.setattr(requirements, "_link_kind", lambda kind: lambda engine: None)

    found = probe("two-hosts", engine(private=object(), FirewallBackend={"Driver": "nftables"}))

    assert found is not None
    assert "nftables" in found[0]
    assert probe("two-hosts", engine(FirewallBackend={"Driver": "nftables"})) is None
    assert (
        probe("two-hosts", engine(private=object(), FirewallBackend={"Driver": "iptables"})) is None
    )
    assert probe("two-hosts", engine(private=object())) is None


@pytest.mark.parametrize(
    ("backend", "installed", "remedy"),
    [
        (None, ["iptables-save"], None),
        ("iptables+firewalld", ["iptables-save"], None),
        ("iptables", ["nft"], "apt-get install iptables"),
        ("nftables", ["iptables-save", "nft"], None),
        ("nftables", ["iptables-save"], "apt-get install nftables"),
    ],
)
def test_rules_are_listed_by_a_tool_for_the_engine_s_kind_of_firewall(
    monkeypatch: pytest.MonkeyPatch, backend: str | None, installed: list[str], remedy: str | None
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: name if name in installed else None)
    told = {"FirewallBackend": {"Driver": backend}} if backend else {}

    found = probe("firewall-rules", engine(**told))

    assert (found and found[1]) == remedy
