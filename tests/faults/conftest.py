from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .labs import Labs


@pytest.fixture
def labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Labs]:
    """Made-up labs; what their runs put into the temporary folder is to be gone in the end."""
    root = tmp_path / "project"
    root.mkdir()
    # A short name, for a user's run has sockets there: unix(7), sun_path.
    with tempfile.TemporaryDirectory() as temporary:
        monkeypatch.setenv("TMPDIR", temporary)
        made = Labs(root)
        yield made
        made.close()
        assert os.listdir(temporary) == []
