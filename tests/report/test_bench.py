"""The strip says what the run was on, and does not make up what it does not know."""

from __future__ import annotations

from fixtures.report import bench

from ..events.streams import BENCH
from .runs import HEADER, run


def test_the_strip_says_what_and_when() -> None:
    assert bench.strip(run(header=HEADER | {"commit": "0123456+"})) == [
        ("kernel", "Linux 6.1 x86_64"),
        ("distribution", "A made-up distribution"),
        ("cgroup", "v2 by systemd"),
        ("engine", "Docker 29.0"),
        ("runtime", "runc 1.3"),
        ("storage", "overlay2"),
        ("started", "2026-11-22 17:20:44 UTC"),
        ("commit", "0123456+"),
        ("run", "made-up"),
    ]


def test_what_the_engine_is_configured_with_is_in_the_strip_alone() -> None:
    configured = {"configuration": {"icc": "false", "log-opts.max-size": None}}
    made = run(bench=BENCH | {"engine": BENCH["engine"] | configured})

    assert ("configured with", "icc = false, log-opts.max-size") in bench.strip(made)
    assert "icc" not in bench.line(made)


def test_the_line_says_the_same_shorter() -> None:
    assert bench.line(run()) == (
        "Linux 6.1 x86_64 · cgroup v2 by systemd · Docker 29.0 · runc 1.3 · overlay2 · "
        "2026-11-22 17:20:44 UTC · unknown"
    )


def test_a_run_that_ended_before_its_bench_was_known_says_when_it_was() -> None:
    assert bench.strip(run(bench={})) == [
        ("started", "2026-11-22 17:20:44 UTC"),
        ("commit", "unknown"),
        ("run", "made-up"),
    ]


def test_podman_is_not_called_docker() -> None:
    podman = run(bench=BENCH | {"engine": BENCH["engine"] | {"product": "Podman"}})

    assert ("engine", "Podman 29.0") in bench.strip(podman)
    assert "Docker" not in bench.line(podman)


def test_a_run_of_an_ordinary_user_on_a_rootless_engine_says_both() -> None:
    rootless = {
        "security_options": ["name=seccomp,profile=builtin", "name=rootless"],
        "cgroup_driver": "none",
    }
    suite = BENCH["suite"] | {"user": 1000}
    said = bench.strip(run(bench=BENCH | {"suite": suite, "engine": BENCH["engine"] | rootless}))

    assert ("engine", "Docker 29.0 rootless") in said
    assert ("cgroup", "v2, not used") in said
    assert ("user", "not root") in said


def test_a_runtime_of_which_no_version_is_known_is_named() -> None:
    assert runtime(default_runtime="kata") == "kata"


def test_an_engine_that_does_not_name_its_runtime_is_not_given_one() -> None:
    assert runtime(default_runtime=None) == "unknown"


def test_what_made_the_containers_without_an_engine_is_no_version_of_docker() -> None:
    by_runc = {"product": "runc", "version": "1.1.5", "without_engine": True}
    by_hand = {"product": "by_hand.py", "version": "none", "without_engine": True, "by_hand": True}

    assert engines(**by_runc) == [("engine", "runc 1.1.5 without Docker")]
    assert engines(**by_hand) == [("engine", "none: containers made by hand")]


def engines(**engine: object) -> list[tuple[str, str]]:
    made = run(bench=BENCH | {"engine": BENCH["engine"] | engine})
    return [pair for pair in bench.strip(made) if pair[0] in ("engine", "runtime")]


def runtime(**engine: object) -> str:
    made = run(bench=BENCH | {"engine": BENCH["engine"] | engine})
    return dict(bench.strip(made))["runtime"]
