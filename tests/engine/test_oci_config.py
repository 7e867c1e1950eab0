"""config.json: what a runtime is told for options of docker run, and what is changed for that."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from fixtures.engine.oci_config import changes, configured, namespaces
from fixtures.engine.options import DEFAULTS, merged

BASE: dict[str, Any] = {
    "process": {
        "terminal": True,
        "args": ["sh"],
        "env": ["PATH=/bin"],
        "capabilities": {
            kind: ["CAP_KILL", "CAP_SYS_TIME"]
            for kind in ("bounding", "effective", "permitted", "ambient")
        },
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": True},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["size=64m"]},
    ],
    "linux": {
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "mount"}],
        "maskedPaths": ["/proc/kcore"],
        "readonlyPaths": ["/proc/sys"],
    },
}
CGROUPS = (
    '{"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup",'
    '"options":["nosuid","noexec","nodev","relatime","ro"]}'
)


def refuse(what: str) -> Any:
    raise LookupError(what)


def config(**given: Any) -> dict[str, Any]:
    return configured(
        BASE,
        merged(DEFAULTS, given),
        name="made",
        namespaces=namespaces(["mnt", "pid", "uts"], {"net": 4711}),
        capabilities=frozenset({"KILL", "CHOWN"}),
        user=None,
        seccomp=None,
        shared_memory=None,
        refuse=refuse,
    )


def points(of: dict[str, Any]) -> list[str]:
    return [mount["destination"] for mount in of["mounts"]]


def test_each_part_has_its_place() -> None:
    made = config(
        environment={"NAME": "value"},
        read_only=True,
        security_opt=["no-new-privileges", "systempaths=unconfined"],
        ulimits=[{"Name": "nofile", "Soft": 1, "Hard": 2}],
        nano_cpus=500_000_000,
        sysctls={"net.ipv4.ip_default_ttl": "42"},
        device_cgroup_rules=["c 1:* w"],
        oom_score_adj=500,
    )

    process, linux = made["process"], made["linux"]
    assert process == {
        "args": ["sleep", "infinity"],
        "env": ["PATH=/bin", "NAME=value"],
        "capabilities": {
            kind: ["CAP_KILL", "CAP_CHOWN"] for kind in ("bounding", "effective", "permitted")
        },
        "noNewPrivileges": True,
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 2, "soft": 1}],
        "oomScoreAdj": 500,
    }
    assert (made["root"], made["hostname"]) == ({"path": "rootfs", "readonly": True}, "made")
    assert linux == {
        "namespaces": [
            {"type": "pid"},
            {"type": "mount"},
            {"type": "uts"},
            {"type": "network", "path": "/proc/4711/ns/net"},
        ],
        "resources": {
            "devices": [
                {"allow": False, "access": "rwm"},
                {"allow": True, "type": "c", "major": 1, "access": "w"},
            ],
            "memory": {"limit": 256 << 20, "swap": 256 << 20},
            "cpu": {"quota": 50_000, "period": 100_000},
            "pids": {"limit": 128},
        },
        "sysctl": {"net.ipv4.ip_default_ttl": "42"},
        "maskedPaths": [],
        "readonlyPaths": [],
    }


def test_left_out_the_limit_of_swap_is_as_much_as_memory() -> None:
    memory = config(mem_limit="32m", memswap_limit=None)["linux"]["resources"]["memory"]

    assert memory == {"limit": 32 << 20, "swap": 64 << 20}


def test_a_mount_of_an_option_takes_the_place_of_another() -> None:
    made = config(shm_size="1m", volumes=["/sys/fs/cgroup:/sys/fs/cgroup"])

    assert points(made) == ["/proc", "/dev/shm", "/sys/fs/cgroup"]
    assert [mount["type"] for mount in made["mounts"]] == ["proc", "tmpfs", "bind"]
    assert points(config(ipc_mode="none")) == ["/proc", "/sys/fs/cgroup"]


@pytest.mark.parametrize(
    "given",
    [
        {"init": True},
        {"security_opt": ["label=disable"]},
        {"volumes": ["name:/data"]},
        {"volumes": ["/data"]},
        {"volumes": ["/tmp:/data:rslave"]},
        {"devices": ["/none:/none:r"]},
    ],
    ids=str,
)
def test_what_has_no_place_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(LookupError):
        config(**given)


def test_the_changes_are_few_and_short() -> None:
    assert list(changes(BASE, config())) == [
        "del(.process.terminal)",
        "del(.process.capabilities.ambient)",
        '(.process.capabilities|.bounding,.effective,.permitted)-=["CAP_SYS_TIME"]',
        '(.process.capabilities|.bounding,.effective,.permitted)+=["CAP_CHOWN"]',
        '.process.args=["sleep","infinity"]',
        ".process.noNewPrivileges=false",
        "del(.root.readonly)",
        '.linux.resources.memory={"limit":268435456,"swap":268435456}',
        '.linux.resources.pids={"limit":128}',
        '.linux.namespaces-=[{"type":"network"}]',
        '.linux.namespaces+=[{"type":"uts"}]',
        '.linux.namespaces+=[{"type":"network","path":"/proc/4711/ns/net"}]',
        f".mounts+=[{CGROUPS}]",
        '.hostname="made"',
    ]


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
@pytest.mark.parametrize(
    "given",
    [{}, {"read_only": True, "ipc_mode": "none"}, {"tmpfs": {"/a": "", "/b": ""}, "init": None}],
    ids=str,
)
def test_jq_makes_the_same_of_them(given: dict[str, Any]) -> None:
    wanted = config(**given)

    made = subprocess.run(
        ["jq", " | ".join(changes(BASE, wanted))],
        input=json.dumps(BASE), capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert json.loads(made.stdout) == wanted
