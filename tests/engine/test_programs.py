"""A program that is not in a container is named as such, in whatever words a runtime says it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fixtures.engine.image import APPLETS
from fixtures.engine.programs import lack, lack_of_exec

RUNC = "exec failed: unable to start container process: exec: "
OCI = f"OCI runtime exec failed: {RUNC}"
HAS = f"The base image has {', '.join(APPLETS)}; and for what else its busybox can do: "


@pytest.mark.parametrize(
    "said",
    [
        f'{OCI}"nproc": executable file not found in $PATH: unknown\r\n',
        (
            f'time="2026-11-29T22:25:05Z" level=error msg="{RUNC}\\"nproc\\": executable file not '
            'found in $PATH"'
        ),
        f'ctr: {OCI}"nproc": executable file not found in $PATH: unknown',
        (
            "OCI runtime exec failed: executable file `nproc` not found in $PATH: No such file or "
            "directory: unknown"
        ),
        "by hand: [Errno 2] No such file or directory: b'/usr/sbin/nproc'",
    ],
    ids=["dockerd", "runc", "ctr", "crun", "by hand"],
)
def test_what_the_image_has_is_said_where_it_lacks_a_program(said: str) -> None:
    assert lack(("nproc", "--all"), said) == f"there is no nproc in it. {HAS}`busybox nproc --all`"


def test_a_path_that_is_not_there_is_named_alone() -> None:
    said = f'{OCI}"/bin/nproc": stat /bin/nproc: no such file or directory: unknown\r\n'

    assert lack_of_exec(("/bin/nproc",), 127, said) == "there is no /bin/nproc in it"


@pytest.mark.parametrize(
    ("exit_code", "output"),
    [
        (126, f'{OCI}"/etc/group": permission denied: unknown\r\n'),
        (127, "sh: nproc: not found\n"),
        (127, "cat: can't open '/none': No such file or directory\n"),
        (1, f'{OCI}"nproc": executable file not found in $PATH: unknown\r\n'),
        (127, ""),
    ],
    ids=["not executable", "of a shell", "of a program", "of a program that repeats it", "nothing"],
)
def test_what_else_a_command_may_say_is_its_output(exit_code: int, output: str) -> None:
    assert lack_of_exec(("nproc",), exit_code, output) is None


def test_the_guide_lists_what_the_base_image_has() -> None:
    guide = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
    listed = re.search(r"The base image has (.*?), and", guide, re.DOTALL)

    assert listed is not None
    assert listed[1].replace("`", "").replace(",", "").split() == [*APPLETS]
