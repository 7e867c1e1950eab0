"""A user's daemon.json: what of it a private engine is given, and what is refused."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.engine.daemon_json import SET_BY_THE_SUITE, DaemonJson, laid_over
from fixtures.engine.errors import BenchError
from tests.fuzzing import fuzzed


def refusal(found: object) -> str:
    with pytest.raises(BenchError) as error:
        DaemonJson.of(found)
    return str(error.value)


def test_its_keys_are_handed_on() -> None:
    keys = {"storage-driver": "vfs", "log-opts": {"max-size": "1m"}, "number": 1, "owner": "me"}

    assert DaemonJson.of(keys) == DaemonJson(keys)


def test_what_the_suite_sets_itself_is_left_out_and_named() -> None:
    found: dict[str, Any] = dict.fromkeys(SET_BY_THE_SUITE, "x") | {"init": True}

    read = DaemonJson.of(found)

    assert read.keys == {"init": True}
    assert read.left_out == SET_BY_THE_SUITE


@pytest.mark.parametrize("user", ["default", "dockremap"])
def test_users_are_remapped_in_an_etc_of_the_engine_s_own(user: str) -> None:
    assert DaemonJson.of({"userns-remap": user}) == DaemonJson({}, userns_remap=True)
    assert DaemonJson.of({"userns-remap": ""}) == DaemonJson({})


@pytest.mark.parametrize("user", ["me", "1000:1000", 7, None, ["default"], True, {}])
def test_a_user_of_the_machine_is_refused(user: object) -> None:
    assert refusal({"userns-remap": user}) == (
        f'"userns-remap": {json.dumps(user)} names a user of this machine, and the engine has an '
        '/etc of its own\nTry: "userns-remap": "default"'
    )


@pytest.mark.parametrize(
    ("keys", "driver"),
    [
        ({"storage-driver": "devicemapper"}, "devicemapper"),
        ({"storage-driver": "zfs"}, "zfs"),
        ({"storage-opts": ["dm.thinpooldev=/dev/mapper/pool"]}, "devicemapper"),
        ({"storage-opts": ["overlay2.size=1G", "zfs.fsname=tank"]}, "zfs"),
    ],
)
def test_a_driver_that_makes_something_of_the_machine_s_is_refused(
    keys: dict[str, Any], driver: str
) -> None:
    assert refusal(keys).startswith(f"the storage driver {driver} makes ")
    assert refusal(keys).endswith('nothing of it\nTry: "storage-driver": "overlay2"')


def test_what_dockerd_would_load_into_the_kernel_is_known() -> None:
    assert DaemonJson.of({"icc": False}).loads_br_netfilter
    assert DaemonJson.of({"userland-proxy": False}).loads_br_netfilter
    bridge = {"bridge": {"com.docker.network.bridge.enable_icc": "false"}}
    assert DaemonJson.of({"default-network-opts": bridge}).loads_br_netfilter
    for harmless in ({"icc": True, "iptables": False}, {"default-network-opts": {"overlay": {}}}):
        assert not DaemonJson.of(harmless).loads_br_netfilter


def test_what_an_experiment_configures_is_laid_over_it() -> None:
    keys = {"icc": False, "runtimes": {"nvidia": {"path": "n"}}, "features": {"buildkit": True}}
    others = {"icc": True, "runtimes": {"crun": {"path": "crun"}}, "features": {}}

    assert laid_over(keys, others) == {
        "icc": True,
        "runtimes": {"nvidia": {"path": "n"}, "crun": {"path": "crun"}},
        "features": {"buildkit": True},
    }
    assert laid_over({"runtimes": None}, {"runtimes": {"crun": {}}}) == {"runtimes": {"crun": {}}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "it is no JSON: Expecting property name"),
        (b"\xff", "it is no JSON: "),
        (b"[]", "it must hold an object, such as"),
        (b"[" * 100_000, "its values are nested too deeply"),
        (b" " * (1 << 20) + b"{}", "it is larger than 1 MiB"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "daemon.json"
    file.write_bytes(content)

    with pytest.raises(BenchError, match=said):
        DaemonJson.read(file)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for name, said in {
        "pipe": "it is no file",
        "/dev/zero": "it is no file",
        "none": "no such file",
        ".": "it is no file",
    }.items():
        with pytest.raises(BenchError, match=said):
            DaemonJson.read(tmp_path / name)


KEYS = st.sampled_from((*SET_BY_THE_SUITE, "userns-remap", "storage-opts", "storage-driver", "icc"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@fuzzed
@given(
    content=st.binary()
    | (VALUES | st.dictionaries(KEYS | st.text(), VALUES)).map(
        lambda each: json.dumps(each).encode()
    )
)
def test_whatever_it_holds_it_is_read_or_refused_in_a_sentence(
    content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "daemon.json"
    file.write_bytes(content)

    with suppress(BenchError):
        assert not DaemonJson.read(file).keys.keys() & {*SET_BY_THE_SUITE, "userns-remap"}
