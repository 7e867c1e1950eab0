"""A container's options: laid over each other, filled in, and as a docker run line."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.engine.options import (
    DEFAULTS,
    FLAGS,
    NAMES,
    filled_in,
    mentions,
    merged,
    run_line,
)

LINES: list[tuple[str, Any, str]] = [
    ("cap_add", ["NET_ADMIN", "SYS_TIME"], "--cap-add=NET_ADMIN --cap-add=SYS_TIME"),
    ("cap_drop", ["ALL"], "--cap-drop=ALL"),
    ("cgroup_parent", "/box", "--cgroup-parent=/box"),
    ("cgroupns", "private", "--cgroupns=private"),
    ("cpu_shares", 512, "--cpu-shares=512"),
    ("cpuset_cpus", "0,2", "--cpuset-cpus=0,2"),
    ("device_write_bps", [{"Path": "/dev/sda", "Rate": 4096}], "--device-write-bps=/dev/sda:4096"),
    ("device_cgroup_rules", ["c 1:11 w"], "'--device-cgroup-rule=c 1:11 w'"),
    ("devices", ["/dev/kmsg:/dev/log:w"], "--device=/dev/kmsg:/dev/log:w"),
    ("environment", {"A": "1", "B": "2"}, "--env=A=1 --env=B=2"),
    ("dns", ["127.0.0.1"], "--dns=127.0.0.1"),
    ("dns_search", ["."], "--dns-search=."),
    ("entrypoint", ("env",), "--entrypoint=env"),
    (
        "healthcheck",
        {"test": "false", "interval": 500_000_000, "retries": 1},
        "--health-cmd=false --health-interval=0.5s --health-retries=1",
    ),
    ("hostname", "here", "--hostname=here"),
    ("init", True, "--init"),
    ("init", False, ""),
    ("ipc_mode", "host", "--ipc=host"),
    ("mem_limit", "32m", "--memory=32m"),
    ("mem_reservation", "16m", "--memory-reservation=16m"),
    ("memswap_limit", "64m", "--memory-swap=64m"),
    ("nano_cpus", 500_000_000, "--cpus=0.5"),
    ("network_aliases", ["web", "www"], "--network-alias=web --network-alias=www"),
    ("network_mode", "none", "--network=none"),
    ("oom_score_adj", 500, "--oom-score-adj=500"),
    ("pid_mode", "host", "--pid=host"),
    ("pids_limit", 16, "--pids-limit=16"),
    ("ports", ["80:5000", "127.0.0.1::53/udp"], "--publish=80:5000 --publish=127.0.0.1::53/udp"),
    ("privileged", True, "--privileged"),
    ("read_only", True, "--read-only"),
    ("restart_policy", {"Name": "always"}, "--restart=always"),
    (
        "restart_policy",
        {"Name": "on-failure", "MaximumRetryCount": 2},
        "--restart=on-failure:2",
    ),
    ("runtime", "crun", "--runtime=crun"),
    ("security_opt", ["seccomp=unconfined"], "--security-opt=seccomp=unconfined"),
    ("shm_size", "8m", "--shm-size=8m"),
    ("sysctls", {"net.ipv4.ip_forward": "0"}, "--sysctl=net.ipv4.ip_forward=0"),
    ("stdin_open", True, "--interactive"),
    ("stop_signal", "SIGUSR1", "--stop-signal=SIGUSR1"),
    ("tmpfs", {"/a": "size=1m", "/b": ""}, "--tmpfs=/a:size=1m --tmpfs=/b"),
    ("ulimits", [{"Name": "nofile", "Soft": 64, "Hard": 99}], "--ulimit=nofile=64:99"),
    ("tty", True, "--tty"),
    ("user", "1000", "--user=1000"),
    ("userns_mode", "host", "--userns=host"),
    ("uts_mode", "host", "--uts=host"),
    ("volumes", ["/tmp/a b:/data:ro"], "'--volume=/tmp/a b:/data:ro'"),
]


@pytest.mark.parametrize(("name", "value", "flags"), LINES)
def test_an_option_is_a_flag_of_docker_run(name: str, value: Any, flags: str) -> None:
    line = run_line({name: value, "command": ["true"]}, "base")

    assert line.split() == f"docker run --detach {flags} base true".split()


def test_every_option_has_its_line_here() -> None:
    assert {name for name, _, _ in LINES} == set(FLAGS)


def test_an_image_and_a_command_go_without_a_flag() -> None:
    assert {"image", "command"} == NAMES - set(FLAGS)


def test_the_defaults_are_a_line_to_paste() -> None:
    assert run_line(DEFAULTS, "base") == (
        "docker run --detach --memory=256m --memory-swap=256m --network=none --pids-limit=128 "
        "base sleep infinity"
    )


def test_of_an_entrypoint_only_the_first_word_is_a_flag() -> None:
    line = run_line({"entrypoint": ("sh", "-c", "exec $0"), "command": ["sleep", "1"]}, "base")

    assert line == "docker run --detach --entrypoint=sh base -c 'exec $0' sleep 1"


def test_a_command_is_quoted_for_the_shell() -> None:
    line = run_line({"command": ["sh", "-c", "echo $HOME"]}, "base")

    assert line == "docker run --detach base sh -c 'echo $HOME'"


def test_later_options_lie_on_top() -> None:
    assert merged({"user": "1", "init": True}, {"user": "2"}) == {"user": "2", "init": True}


def test_none_takes_an_option_away() -> None:
    assert merged({"user": "1", "init": True}, {"user": None}) == {"init": True}


def test_false_and_zero_are_options_like_others() -> None:
    assert merged({"init": False, "cpu_shares": 0}) == {"init": False, "cpu_shares": 0}


def test_places_are_filled_in_wherever_a_text_is() -> None:
    options = {
        "pid_mode": "container:{neighbour}",
        "volumes": ["{folder}:/data"],
        "tmpfs": {"{folder}": "size={size}"},
        "pids_limit": 16,
    }

    assert filled_in(options, {"neighbour": "c0ffee", "folder": "/tmp/f", "size": "1m"}) == {
        "pid_mode": "container:c0ffee",
        "volumes": ["/tmp/f:/data"],
        "tmpfs": {"/tmp/f": "size=1m"},
        "pids_limit": 16,
    }


@pytest.mark.parametrize(
    "options",
    [{"user": "{folder}"}, {"volumes": ["{folder}:/data"]}, {"tmpfs": {"{folder}": ""}}],
)
def test_a_place_is_found_wherever_a_text_is(options: dict[str, Any]) -> None:
    assert mentions(options, "folder")
    assert not mentions(options, "neighbour")


def test_braces_in_a_command_that_name_no_place_stay() -> None:
    command = ["sh", "-c", "echo ${HOME}; awk '{print}'; f() { true; }"]

    assert filled_in({"command": command}, {"folder": "/tmp/f"})["command"] == command
