"""A bundle's config.json is read, and a machine that has none says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.engine.bundle import Bundle
from fixtures.kernel import FileRead, NotObservable, Process, set_recorder


def test_it_is_asked_by_path(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"process": {"args": ["sleep"]}}))
    announced: list[object] = []
    set_recorder(announced.append)
    try:
        bundle = Bundle(tmp_path)
        assert bundle["process.args"] == ["sleep"]
        assert bundle["linux.resources.memory.limit"] is None
        assert bundle["process.args.first"] is None
    finally:
        set_recorder(None)

    assert announced[0] == FileRead(str(tmp_path / "config.json"), "process.args", '["sleep"]')


def test_it_is_found_where_the_shim_works(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"ociVersion": "1.0.2"}')
    # Not sleep: the directory must be there before the process is looked at.
    wait = [sys.executable, "-c", "input()"]
    with subprocess.Popen(wait, cwd=tmp_path, stdin=subprocess.PIPE) as shim:
        assert Bundle.of_shim(Process(shim.pid))["ociVersion"] == "1.0.2"
        shim.kill()


def test_where_there_is_none_nothing_is_made_up(tmp_path: Path) -> None:
    with pytest.raises(NotObservable, match=r"config\.json can not be read"):
        Bundle(tmp_path)
