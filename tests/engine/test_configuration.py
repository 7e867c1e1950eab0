"""What differs from an engine's defaults is named, and nothing is told that may be a secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.engine import configuration

UNTOLD = "word-that-nobody-may-read"

Dockerd = Callable[..., int]

# It looks as a dockerd does that was started with these arguments, and ends with its input.
STAND_IN = "import sys; print(); sys.stdout.flush(); sys.stdin.read()"


@pytest.fixture
def dockerd() -> Iterator[Dockerd]:
    """Starts what has the command line of a dockerd; gives its pid."""
    with ExitStack() as started:

        def start(*flags: str) -> int:
            process = started.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", STAND_IN, *flags],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            assert process.stdout is not None
            process.stdout.readline()
            return process.pid

        yield start


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"icc": False, "live-restore": True}, {"icc": "false", "live-restore": "true"}),
        ({"icc": True, "live-restore": False, "debug": False, "mtu": 1500}, {}),
        ({"log-driver": "json-file", "default-runtime": "runc", "labels": [], "bridge": ""}, {}),
        ({"log-driver": "none", "mtu": 1450}, {"log-driver": "none", "mtu": "1450"}),
        ({"ip6tables": False}, {"ip6tables": "false"}),
        ({"features": {"buildkit": False}}, {"features.buildkit": "false"}),
        ({"seccomp-profile": "unconfined"}, {"seccomp-profile": "unconfined"}),
        ({"data-root": "/data", "hosts": ["fd://"]}, {}),
    ],
)
def test_what_is_not_as_it_is_by_default_is_told(
    keys: dict[str, Any], told: dict[str, str | None]
) -> None:
    assert configuration.differing(keys) == told


@pytest.mark.parametrize(
    "keys",
    [
        {"http-proxy": f"http://me:{UNTOLD}@proxy:3128"},
        {"proxies": {"http-proxy": f"http://me:{UNTOLD}@proxy:3128"}},
        {"log-opts": {"splunk-token": UNTOLD}},
        {"labels": [f"token={UNTOLD}"]},
        {"registry-mirrors": [f"https://{UNTOLD}.example"]},
        {"runtimes": {"nvidia": {"path": f"/home/{UNTOLD}/runc"}}},
        {"seccomp-profile": f"/home/{UNTOLD}/seccomp.json"},
        {"userns-remap": UNTOLD},
        {"dns": [UNTOLD]},
        {"a-key-of-tomorrow": UNTOLD},
    ],
)
def test_what_may_be_a_secret_is_named_and_not_told(keys: dict[str, Any]) -> None:
    (key,) = keys
    told = configuration.differing(keys)

    assert list(told.values()) == [None]
    assert [name.partition(".")[0] for name in told] == [key]
    assert UNTOLD not in str(told)


def test_flags_are_keys() -> None:
    flags = (
        "-H fd:// -D --icc=false --mtu 1450 --log-driver=local --log-opt max-size=1m -bnone "
        f"--label token={UNTOLD} --live-restore --storage-driver vfs --add-runtime crun=/crun"
    )
    keys = dict(configuration.of_flags(flags.split()))

    assert configuration.differing(keys) == {
        "debug": "true",
        "icc": "false",
        "mtu": "1450",
        "log-driver": "local",
        "log-opts": None,
        "bridge": "none",
        "labels": None,
        "live-restore": "true",
        "storage-driver": "vfs",
        "runtimes": None,
    }


def test_a_running_dockerd_is_asked_for_its_file_and_its_flags(
    dockerd: Dockerd, tmp_path: Path
) -> None:
    file = tmp_path / "daemon.json"
    file.write_text('{"icc": false, "mtu": 1400}')

    pid = dockerd(f"--config-file={file}", "--live-restore")

    assert configuration.of_daemon(pid) == {"icc": False, "mtu": 1400, "live-restore": True}


def test_a_file_that_was_changed_since_is_not_what_it_runs_with(
    dockerd: Dockerd, tmp_path: Path
) -> None:
    file = tmp_path / "daemon.json"
    file.write_text('{"icc": false}')
    pid = dockerd(f"--config-file={file}", "--debug")
    later = file.stat().st_mtime + 100
    os.utime(file, (later, later))

    assert configuration.of_daemon(pid) == {"debug": True}


@pytest.mark.parametrize("content", [None, "", "[]", "{"])
def test_where_the_file_is_none_its_flags_are_known(
    dockerd: Dockerd, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "daemon.json"
    if content is not None:
        file.write_text(content)

    assert configuration.of_daemon(dockerd(f"--config-file={file}", "--debug")) == {"debug": True}


def test_what_another_user_calls_a_dockerd_is_not_believed(
    dockerd: Dockerd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "daemon.json"
    file.write_text(json.dumps({"icc": False}))
    pid = dockerd(f"--config-file={file}")
    stranger = SimpleNamespace(uid=12345, argv=("dockerd", f"--config-file={file}"))

    assert configuration.of_daemon(pid) == {"icc": False}
    monkeypatch.setattr(configuration, "Process", lambda number: stranger)
    assert configuration.of_daemon(pid) == {}


def test_a_process_that_is_gone_has_none(dockerd: Dockerd) -> None:
    assert configuration.of_daemon(2**22 + 1) == {}


@pytest.mark.parametrize(
    ("information", "told"),
    [
        ({"SecurityOptions": ["name=seccomp,profile=default"], "CgroupVersion": "1"}, {}),
        (
            {"SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"], "CgroupVersion": "2"},
            {},
        ),
        ({"SecurityOptions": None, "CgroupVersion": "2"}, {"default-cgroupns-mode": "host"}),
        ({"SecurityOptions": ["name=cgroupns"]}, {"default-cgroupns-mode": "private"}),
        ({"SecurityOptions": ["name=userns"]}, {"userns-remap": None}),
        ({"SecurityOptions": ["name=no-new-privileges"]}, {"no-new-privileges": "true"}),
        ({"SecurityOptions": ["name=seccomp,profile=unconfined"]}, {"seccomp-profile": "unconfined"}),
        ({"SecurityOptions": ["name=seccomp,profile=/etc/own.json"]}, {"seccomp-profile": None}),
        ({"DefaultRuntime": "nvidia"}, {"default-runtime": "nvidia"}),
        (
            {"LoggingDriver": "syslog", "LiveRestoreEnabled": True, "RegistryConfig": {"Mirrors": ["m"]}},
            {"live-restore": "true", "log-driver": "syslog", "registry-mirrors": None},
        ),
    ],
)  # fmt: skip
def test_what_docker_info_says_is_told(
    information: dict[str, Any], told: dict[str, str | None]
) -> None:
    assert configuration.differing(configuration.of_information(information)) == told
