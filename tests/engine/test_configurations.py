"""Engines that are configured as people's are: what an experiment finds all the same, or is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.engine import Engine, Owner, private
from fixtures.engine.errors import EngineUnreachable
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.reaper import Reaper
from fixtures.kernel import NotObservable
from fixtures.lab.requirements import probe

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(private.missing() is not None, reason=str(private.missing())),
]


@pytest.fixture(scope="module")
def hardened(reaper: Reaper, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with defaults for all containers."""
    profile = tmp_path_factory.mktemp("etc") / "seccomp.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    keys = {
        "init": True,
        "no-new-privileges": True,
        "log-driver": "none",
        "bridge": "none",
        "seccomp-profile": str(profile),
    }
    engine = Engine.start_private(Owner.current(), reaper, configuration=keys)
    yield engine
    engine.close()


def test_pid_1_is_the_command_where_the_engine_puts_an_init_before_it(hardened: Engine) -> None:
    container = hardened.start(DEFAULTS)

    assert container.init.argv == DEFAULTS["command"]
    assert hardened.start(merged(DEFAULTS, {"init": True})).init.argv != DEFAULTS["command"]


def test_no_new_privileges_can_be_taken_away(hardened: Engine) -> None:
    option = {"security_opt": ["no-new-privileges=false"]}

    assert hardened.start(DEFAULTS).init.no_new_privs
    assert not hardened.start(merged(DEFAULTS, option)).init.no_new_privs


def test_a_filter_of_the_user_s_is_not_the_default_one(hardened: Engine) -> None:
    reason, _ = probe("default-filter", hardened) or ("", "")

    assert probe("seccomp", hardened) is None
    assert reason.endswith("seccomp.json, and not the one built in")


def test_an_engine_without_a_default_network_is_told(hardened: Engine) -> None:
    with pytest.raises(NotObservable, match="this engine has no default network"):
        hardened.start(merged(DEFAULTS, {"network_mode": "bridge"}))

    assert hardened.start(DEFAULTS).init.interfaces == {"lo"}


def test_an_engine_that_keeps_no_logs_is_told(hardened: Engine) -> None:
    reason, remedy = probe("logs", hardened) or ("", "")

    assert reason.startswith("the engine's logging driver is none")
    assert '"log-driver": "local"' in remedy


def test_a_log_that_is_given_to_another_and_kept_by_nobody_can_not_be_shown(
    reaper: Reaper,
) -> None:
    options = {"gelf-address": "udp://127.0.0.1:12201", "cache-disabled": "true"}
    keys = {"log-driver": "gelf", "log-opts": options}
    engine = Engine.start_private(Owner.current(), reaper, configuration=keys)
    try:
        engine.prove_that_it_starts_containers()
        with pytest.raises(NotObservable, match="docker logs shows nothing on this engine"):
            engine.start(DEFAULTS).logs()
    finally:
        engine.close()


def test_a_log_server_that_is_not_there_is_told_before_the_first_trial(reaper: Reaper) -> None:
    options = {"syslog-address": "tcp://127.0.0.1:9"}
    keys = {"log-driver": "syslog", "log-opts": options}
    engine = Engine.start_private(Owner.current(), reaper, configuration=keys)
    try:
        with pytest.raises(
            EngineUnreachable, match=r"starts no container:\n.*\n.*logging driver: "
        ):
            engine.prove_that_it_starts_containers()
    finally:
        engine.close()


def test_an_engine_that_maps_users_gives_nothing_of_the_host_s(reaper: Reaper) -> None:
    engine = Engine.start_private(Owner.current(), reaper, userns_remap=True)
    try:
        for option in ("pid_mode", "network_mode"):
            with pytest.raises(NotObservable, match="maps the users of containers"):
                engine.start(merged(DEFAULTS, {option: "host"}))
        assert probe("user-namespace-of-the-host", engine) is not None
        assert probe("logs", engine) is None
    finally:
        engine.close()
