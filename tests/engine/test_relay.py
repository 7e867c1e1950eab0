"""A relay passes on what is said, and notes the requests."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from fixtures.engine.endpoint import Endpoint
from fixtures.engine.relay import Relay
from tests.fake_engine import FakeEngine


def test_what_is_asked_is_answered_and_noted(fake: FakeEngine, tmp_path: Path) -> None:
    identity = "5c" * 32
    fake.answers[f"POST /containers/{identity}/start"] = {}
    relay = Relay(tmp_path / "relay", Path(fake.url.removeprefix("unix://")))

    client = Endpoint(relay.url, "a relay").connect()
    client.api.start(identity)
    client.close()

    # The SDK asks the version by itself.
    assert relay.requests == ["GET /version", "POST /containers/{id}/start"]
    assert fake.asked == ["GET /version", f"POST /containers/{identity}/start"]
    relay.close()


def test_a_stream_goes_both_ways_to_its_end(tmp_path: Path) -> None:
    """docker attach takes over the connection; what it types looks like no request."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "engine"))
        listener.listen()
        relay = Relay(tmp_path / "relay", tmp_path / "engine")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "relay"))
            server, _ = listener.accept()
            with server:
                client.sendall(b"POST /v1.41/containers/x/attach?stream=1 HTTP/1.1\r\n\r\n")
                assert server.recv(100).startswith(b"POST")
                client.sendall(b"exit\r")
                assert server.recv(100) == b"exit\r"
                server.sendall(b"bye")
                assert client.recv(100) == b"bye"
                client.shutdown(socket.SHUT_WR)
                assert server.recv(100) == b""

        assert relay.requests == ["POST /containers/x/attach"]
        relay.close()


def test_it_stops_listening(tmp_path: Path) -> None:
    before = threading.active_count()
    relay = Relay(tmp_path / "relay", tmp_path / "engine")
    relay.close()

    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(str(tmp_path / "relay"))
    assert threading.active_count() <= before + 1
