"""In the place of an engine that misbehaves: a server that says what a test tells it to."""

from __future__ import annotations

import json
import re
import socketserver
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


@contextmanager
def listening(socket: Path) -> Iterator[FakeEngine]:
    """A fake engine at that path."""
    engine = FakeEngine(socket)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            engine.answer(self)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the library asks for these names

        def log_message(self, *words: object) -> None:
            pass

    with _Server(str(socket), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield engine
        finally:
            server.shutdown()
            thread.join()
