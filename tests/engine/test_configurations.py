"""Engines that are configured as people's are: what an experiment finds all the same, or is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.engine import Engine, Owner, private
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.reaper import Reaper
from fixtures.kernel import NotObservable
from fixtures.lab.requirements import probe

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(private.missing() is not None, reason=str(private.missing())),
]


@pytest.fixture(scope="module")
def hardened(reaper: Reaper) -> Iterator[Engine]:
    """An engine with defaults for all containers."""
    keys = {"init": True, "no-new-privileges": True, "log-driver": "none"}
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


def test_an_engine_that_keeps_no_logs_is_told(hardened: Engine) -> None:
    reason, remedy = probe("logs", hardened) or ("", "")

    assert reason.startswith("the engine's logging driver is none")
    assert '"log-driver": "local"' in remedy


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
