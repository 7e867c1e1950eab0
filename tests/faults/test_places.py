"""The labs themselves where the place of their folders has a name that a shell would take apart."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project import OURS

from .labs import Labs

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="a private engine takes root"),
]

ODD = "a b\"c'$(d)`e`;#,*\\&"

# Root's folders are in a place of a fixed name, and so is all that a private engine has.
PLUGIN = """
from pathlib import Path
from types import SimpleNamespace
from fixtures.engine import scratch

PLACE = Path({place!r})

def make(name):
    (PLACE / name).mkdir()
    return PLACE / name

scratch.home = SimpleNamespace(
    HOME=PLACE, make=make, leave=lambda: None, mounted=scratch.home.mounted
)
"""

CHOSEN = {
    "folder": "file_that_is_saved_by_renaming",
    "shared_mount": "later_mount_of_the_host_does_not_reach",
    "bundle": "bundle_is_all_that_a_runtime_needs",
    "relay": "docker_command_sends_http_requests",
    "docker": "docker_compose_up_makes or repository_takes_a_new_image or one_name_can_hold",
    "guest": "virtual_machine",
}
"""what an experiment asks for that is there → one that does"""


@pytest.fixture
def above() -> Iterator[Path]:
    """A new folder whose path is short: there will be sockets below it."""
    with tempfile.TemporaryDirectory(prefix="") as made:
        yield Path(made)


def test_a_path_is_one_word_whatever_is_in_it(labs: Labs, above: Path) -> None:
    place = above / ODD
    place.mkdir()
    shutil.copytree(OURS / "labs", labs.root / "labs", dirs_exist_ok=True)
    (labs.root / "fixtures").symlink_to(OURS / "fixtures")
    with (labs.root / "conftest.py").open("a") as conftest:
        conftest.write(PLUGIN.format(place=str(place)))

    run = labs.run("-k", " or ".join(CHOSEN.values()))

    assert run.process.returncode == pytest.ExitCode.OK, run.output
    verdicts = {each.id: each.verdict for each in run.reports.experiments.values()}
    assert set(verdicts.values()) <= {"proven", "not observable here"}, run.output
    assert list(place.iterdir()) == []
    assert list(above.iterdir()) == [place]
