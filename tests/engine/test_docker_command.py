"""The docker command, as each of its versions answers."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.engine import Owner
from fixtures.engine.docker_command import DockerCommand

TAGGED, UNTAGGED = ("sha256:" + 64 * digit for digit in "ab")

# What a version prints without --all; the image without a tag was pulled by its digest.
SHOWN = {"29.7.2": TAGGED, "20.10.24": f"{UNTAGGED} {TAGGED}"}


@pytest.mark.parametrize("version", SHOWN)
def test_images_that_have_lost_their_tag_are_among_those_of_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    program = tmp_path / "docker"
    program.write_text(
        f"#!/bin/sh\ncase \" $* \" in\n*' --all '*) echo {UNTAGGED} {TAGGED} ;;\n"
        f"*) echo {SHOWN[version]} ;;\nesac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    engine: Any = SimpleNamespace(
        private=True, owner=Owner.current(), where=SimpleNamespace(url="unix:///nowhere"),
        host_command=lambda *argv: list(argv),
    )  # fmt: skip
    docker = DockerCommand(engine)
    try:
        assert docker.images("127.0.0.1:5000/app") == [UNTAGGED, TAGGED]
    finally:
        docker.close()
