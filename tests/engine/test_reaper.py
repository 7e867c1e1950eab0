"""The last net: what a run tells it, and what it does when the run is over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from fixtures.engine import box, cleanup, private, reaper, scratch
from fixtures.engine.ownership import Owner
from fixtures.engine.reaper import Reaper
from tests.fake_engine import FakeEngine

OURS = Owner.current()


class Removed:
    """What the reaper was about to remove."""

    def __init__(self) -> None:
        self.engines: list[str] = []
        self.others: list[str] = []


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> Removed:
    seen = Removed()
    monkeypatch.setattr(
        cleanup, "remove_all_of", lambda client, owner: seen.engines.append(client.api.base_url)
    )
    modules = {box: "boxes", private: "private engines", scratch: "folders"}
    for module, name in modules.items():
        monkeypatch.setattr(
            module, "remove_all_of", lambda owner, name=name: seen.others.append(name)
        )
    return seen


def lines(*messages: dict[str, Any]) -> list[str]:
    return [json.dumps(message) + "\n" for message in messages]


def test_all_that_was_watched_is_removed(fake: FakeEngine, removed: Removed) -> None:
    reaper.main(OURS, lines({"engine": fake.url}, {"private": True}, {"engine": fake.url}))

    assert len(removed.engines) == 1
    assert removed.others == ["boxes", "private engines", "folders"]


def test_a_run_that_has_started_nothing_leaves_nothing_but_boxes_and_folders(
    removed: Removed,
) -> None:
    reaper.main(OURS, [])

    assert (removed.engines, removed.others) == ([], ["boxes", "folders"])


def test_an_engine_that_is_gone_does_not_keep_the_rest(
    tmp_path: Path, fake: FakeEngine, removed: Removed
) -> None:
    gone = f"unix://{tmp_path}/gone.sock"

    reaper.main(OURS, lines({"engine": gone}, {"engine": fake.url}, {"private": True}))

    assert len(removed.engines) == 1
    assert removed.others == ["boxes", "private engines", "folders"]


def test_an_engine_that_fails_in_the_middle_does_not_keep_the_rest(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[Owner] = []
    monkeypatch.setattr(private, "remove_all_of", reached.append)
    fake.answers["GET /containers/json"] = (500, "out of order")

    reaper.main(OURS, lines({"engine": fake.url}, {"private": True}))

    assert reached == [OURS]


def test_it_does_its_work_when_the_run_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = scratch.make(OURS)

    Reaper(OURS).dismiss()

    assert not folder.exists()


def test_it_is_in_a_session_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in a terminal goes to every process of the run's group, and is not for it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    last_net = Reaper(OURS)

    assert os.getsid(last_net._process.pid) == last_net._process.pid
    last_net.dismiss()


def test_a_run_goes_on_without_it() -> None:
    last_net = Reaper(OURS)
    process: subprocess.Popen[bytes] = last_net._process
    process.send_signal(signal.SIGKILL)
    process.wait()

    last_net.watch_engine("unix:///run/docker.sock")
    last_net.dismiss()
