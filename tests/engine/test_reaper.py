"""The last net: what a run tells it, and what it does when the run is over."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from docker.tls import TLSConfig

from fixtures.engine import box, cleanup, private, reaper, scratch
from fixtures.engine.endpoint import Endpoint
from fixtures.engine.ownership import Owner
from fixtures.engine.reaper import Reaper
from tests.fake_engine import FakeEngine, listening, over_tcp

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


def on(url: str) -> dict[str, Any]:
    return {"engine": Endpoint(url, "made up").told}


def test_all_that_was_watched_is_removed(fake: FakeEngine, removed: Removed) -> None:
    reaper.main(OURS, lines(on(fake.url), {"private": True}))

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

    reaper.main(OURS, lines(on(gone), on(fake.url), {"private": True}))

    assert len(removed.engines) == 1
    assert removed.others == ["boxes", "private engines", "folders"]


def test_an_engine_that_fails_in_the_middle_does_not_keep_the_rest(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[Owner] = []
    monkeypatch.setattr(private, "remove_all_of", reached.append)
    fake.answers["GET /containers/json"] = (500, "out of order")

    reaper.main(OURS, lines(on(fake.url), {"private": True}))

    assert reached == [OURS]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The folder of an authority, which is also the certificate of server and client."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl in the PATH")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=us"
    alternative = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-out", f"{tmp_path}/cert.pem", "-keyout", f"{tmp_path}/key.pem"]
    subprocess.run(
        ["openssl", *words.split(), *alternative, *files], check=True, capture_output=True
    )
    shutil.copy(tmp_path / "cert.pem", tmp_path / "ca.pem")
    return tmp_path


def test_it_has_the_keys_of_an_engine_that_asks_for_some(keys: Path, removed: Removed) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=keys / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(keys / "cert.pem", keys / "key.pem")
    with listening(keys / "unused.sock") as engine, over_tcp(engine, context) as port:
        tls = TLSConfig((f"{keys}/cert.pem", f"{keys}/key.pem"), f"{keys}/ca.pem", verify=True)
        where = Endpoint(f"tcp://127.0.0.1:{port}", "DOCKER_HOST", tls)
        lastly = lines({"engine": where.told})

        reaper.main(OURS, lines(on(where.url)))
        assert removed.engines == []

        reaper.main(OURS, lastly)

    assert removed.engines == [f"https://127.0.0.1:{port}"]


def test_it_does_its_work_when_the_run_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where a user's are
    monkeypatch.setattr(tempfile, "tempdir", None)
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

    last_net.watch_engine(Endpoint("unix:///run/docker.sock", "the default socket"))
    last_net.dismiss()
