"""What an engine lacks is read from what it says of itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.engine.daemons import Daemon
from fixtures.engine.handmade_engine import HandmadeEngine
from fixtures.engine.product import DOCKER, PODMAN
from fixtures.kernel import Process
from fixtures.kernel.packages import install
from fixtures.lab import requirements
from fixtures.lab.requirements import OF_THE_ENGINE, REQUIREMENTS, probe

ROOTLESS = ["name=seccomp,profile=builtin", "name=rootless"]
REMAPPED = ["name=seccomp,profile=builtin", "name=userns"]


def engine(
    product: str = DOCKER,
    version: str = "29.7.2",
    private: object = None,
    is_outside: bool = False,
    **information: object,
) -> Any:
    return SimpleNamespace(
        product=product,
        version={"Version": version},
        private=private,
        is_outside=is_outside,
        information=information,
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
        ("unlabelled", engine(SecurityOptions=["name=selinux"]), engine(SecurityOptions=[])),
        ("private-engine", engine(is_outside=True), engine(is_outside=False)),
        ("by-hand", engine(is_outside=True), engine(is_outside=False)),
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
        ("iptables", ["nft"], install("iptables")),
        ("nftables", ["iptables-save", "nft"], None),
        ("nftables", ["iptables-save"], install("nftables")),
    ],
)
def test_rules_are_listed_by_a_tool_for_the_engine_s_kind_of_firewall(
    monkeypatch: pytest.MonkeyPatch, backend: str | None, installed: list[str], remedy: str | None
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: name if name in installed else None)
    told = {"FirewallBackend": {"Driver": backend}} if backend else {}

    found = probe("firewall-rules", engine(**told))

    assert (found and found[1]) == remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a mount namespace")
def test_an_engine_in_a_mount_namespace_of_its_own_lacks_the_mounts_of_the_host() -> None:
    script = "echo; exec sleep 60"
    apart = subprocess.Popen(
        ["unshare", "--mount", "--propagation=private", "sh", "-c", script], stdout=subprocess.PIPE
    )
    beside = subprocess.Popen(["sleep", "60"])
    try:
        assert apart.stdout is not None
        apart.stdout.readline()

        def of(daemon: subprocess.Popen[bytes], *, is_private: bool) -> Any:
            made = engine(DockerRootDir="/mnt")
            made.daemons = [] if is_private else [Daemon(daemon.pid, 1, "dockerd")]
            made.private = SimpleNamespace(daemon=Process(daemon.pid)) if is_private else None
            return probe("mounts-of-the-host", made)

        assert of(beside, is_private=True) is of(beside, is_private=False) is None
        assert [of(apart, is_private=each)[1].split(":")[0] for each in (True, False)] == [
            "share the machine's mounts, as systemd does (mount --make-rshared /)",
            "run an engine that is in the host's",
        ]
    finally:
        for each in (apart, beside):
            each.kill()
            each.communicate()


@pytest.mark.parametrize(
    ("says", "remedy"),
    [
        ({"MemoryLimit": False}, "boot the kernel with cgroup_enable=memory cgroup_memory=1, "),
        ({"MemoryLimit": True, "CgroupVersion": "1"}, "boot the kernel with swapaccount=1"),
        ({"MemoryLimit": True, "CgroupVersion": "2"}, "start dockerd in a cgroup of its own"),
    ],
)
def test_why_swap_is_not_accounted_decides_what_to_do(says: dict[str, Any], remedy: str) -> None:
    found = probe("cgroup:swap", engine(SwapLimit=False, **says))

    assert found is not None
    assert found[1].startswith(remedy)


def test_swap_is_accounted_also_for_containers_without_an_engine() -> None:
    without = object.__new__(HandmadeEngine)
    without.information = {"MemoryLimit": True, "SwapLimit": True}

    assert probe("cgroup:swap", without) is None


@pytest.mark.parametrize("refusal", ["", "unshare failed: No space left on device"])
def test_whether_a_user_may_make_a_user_namespace_is_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refusal: str
) -> None:
    for name in ("setpriv", "unshare"):
        program = tmp_path / name
        program.write_text(
            f"#!/bin/sh\n[ -z '{refusal}' ] || {{ echo '{refusal}' >&2; exit 1; }}\n"
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    found = probe("unprivileged-user-namespaces", engine())

    said = f"this machine gives an ordinary user no user namespace: {refusal}"
    assert (found and found[0]) == (said if refusal else None)


class TestMachine:
    """What a machine lacks is looked for, here in what it would show."""

    @pytest.fixture
    def mounts(self, monkeypatch: pytest.MonkeyPatch) -> set[str]:
        """The points of the host's mount table."""
        points = {"/", "/proc"}
        monkeypatch.setattr(requirements, "MountTable", lambda path: points)
        return points

    def test_a_meminfo_that_lxcfs_covers_is_not_the_kernel_s(self, mounts: set[str]) -> None:
        assert probe("meminfo-of-the-kernel", engine()) is None

        mounts.add("/proc/meminfo")

        found = probe("meminfo-of-the-kernel", engine())
        assert found is not None
        assert "lxcfs" in found[0]

    def test_the_cpus_are_those_that_may_be_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(requirements.Process, "cpus", {1, 7})
        assert probe("two-cpus", engine()) is None

        monkeypatch.setattr(requirements.Process, "cpus", {1})

        assert probe("two-cpus", engine()) == (
            "the machine has one CPU that may be used here",
            "give it two",
        )

    @pytest.mark.parametrize(
        "warning",
        [
            "WARNING: No blkio throttle.write_bps_device support",
            "WARNING: No io.max (wbps) support",
        ],
    )
    def test_an_engine_that_can_not_limit_a_disk_says_so(self, warning: str) -> None:
        found = probe("io-throttling", engine(Warnings=["WARNING: No swap limit support", warning]))

        assert found is not None
        assert warning in found[0]

    @pytest.mark.parametrize(
        ("parts", "lacking"),
        [
            ({"esp4", "xt_bpf"}, None),
            ({"esp4", "xt_u32"}, None),
            ({"esp4"}, "match bpf"),
            ({"xt_bpf", "xt_u32"}, "ESP"),
        ],
    )
    def test_an_encrypted_overlay_takes_esp_and_a_match_of_iptables(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parts: set[str], lacking: str | None
    ) -> None:
        monkeypatch.setattr(requirements, "_kernel_config", lambda release: ())
        for part in parts:
            (tmp_path / "sys/module" / part).mkdir(parents=True)
        monkeypatch.setattr(
            requirements, "Path", lambda *names: tmp_path.joinpath(*(n.lstrip("/") for n in names))
        )

        found = probe("esp", engine())

        assert found is None if lacking is None else found is not None and lacking in found[0]
