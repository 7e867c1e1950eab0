"""What an engine has on record of containers that run, failed, or never started."""

from __future__ import annotations

import itertools

import pytest

from fixtures.engine import Engine, Owner, private
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.reaper import Reaper
from fixtures.kernel import ProcessGone

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(private.missing() is not None, reason=str(private.missing())),
]


def test_a_container_s_record_from_its_creation_to_its_end(reaper: Reaper) -> None:
    engine = Engine.start_private(Owner.current(), reaper, noting_runtime=True)
    try:
        failing = merged(DEFAULTS, {"command": ("sh", "-c", "echo why; exit 3")})
        record = engine.create(failing | {"runtime": "noting"})
        assert record.inspect("State.Status") == "created"
        with pytest.raises(ProcessGone):
            _ = record.process
        assert record.start() == ""
        assert record.wait() == 3
        assert record.logs() == "why\n"
        assert (record.is_listed(), record.is_listed("--all")) == (False, True)
        record.remove()
        record.remove()
        assert record.events() == ["create", "start", "die", "destroy"]

        wrong = engine.create(merged(DEFAULTS, {"command": ("no-such-program",)}))
        assert "no-such-program" in wrong.start()
        assert wrong.inspect("State.ExitCode") == 127

        assert engine.private is not None
        calls = engine.private.runtime_calls
        assert list(itertools.islice(calls, 2)) == [
            ("containerd-shim", "create"),
            ("containerd-shim", "start"),
        ]

        made = engine.client.containers.create("busybox")
        engine.client.networks.create("made-by-another")
        engine.forget_what_others_made()
        ids = {each["Id"] for each in engine.client.api.containers(all=True)}
        assert (made.id in ids, wrong.id in ids) == (False, True)
        assert engine.client.api.networks(names=["made-by-another"]) == []
    finally:
        engine.close()
