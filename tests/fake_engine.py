"""In the place of an engine that misbehaves: a server that says what a test tells it to."""

from __future__ import annotations

import json
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any


class FakeEngine:
    """Answers by method and path, and remembers what it was asked for.

    An answer is a value for JSON, an HTTP status with a message, or a function of the request that
    gives one of these, or None when it has written to the connection by itself.
    """

    def __init__(self, socket: Path) -> None:
        self.url = f"unix://{socket}"
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {
            "GET /version": {"Version": "20.10", "ApiVersion": "1.41"},
        }

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a request, whatever version of the API it is made in."""
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        path = re.sub(r"^/v1\.\d+", "", request.path.partition("?")[0])
        asked = f"{request.command} {path}"
        self.asked.append(asked)
        answer = self.answers.get(asked, (404, f"there is no {path}"))
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, tuple):
            _send(request, answer[0], {"message": answer[1]})
        elif answer is not None:
            _send(request, 200, answer)


def _send(request: BaseHTTPRequestHandler, status: int, value: Any) -> None:
    body = json.dumps(value).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _ServerOverTCP(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that is refused."""


@contextmanager
def listening(socket: Path) -> Iterator[FakeEngine]:
    """A fake engine at that path."""
    engine = FakeEngine(socket)
    with _serving(_Server(str(socket), _handler(engine))):
        yield engine


@contextmanager
def over_tcp(engine: FakeEngine, context: ssl.SSLContext) -> Iterator[int]:
    """The same engine at a port of the loopback, for clients that have the keys; the port."""
    server = _ServerOverTCP(("127.0.0.1", 0), _handler(engine))
    port: int = server.server_address[1]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _serving(server):
        yield port


def _handler(engine: FakeEngine) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            engine.answer(self)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the library asks for these names

        def log_message(self, *words: object) -> None:
            pass

    return Handler


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
