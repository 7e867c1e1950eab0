from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .labs import Labs


@pytest.fixture
def labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Labs]:
    """Made-up labs; what their runs put into the temporary folder is to be gone in the end."""
    root, temporary = tmp_path / "project", tmp_path / "temporary"
    root.mkdir()
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    made = Labs(root)
    yield made
    made.close()
    assert list(temporary.iterdir()) == []
