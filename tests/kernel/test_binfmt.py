"""Which handler is registered for a foreign program."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.kernel.binfmt import handler_of
from fixtures.kernel.system_call import program

AARCH64 = program(machine="aarch64")
# As qemu-user-static registers it.
QEMU = """\
enabled
interpreter /usr/bin/qemu-aarch64-static
flags: OCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
"""
BY_NAME = "enabled\ninterpreter /usr/bin/jexec\nflags: \nextension .jar\n"


@pytest.fixture
def handlers(tmp_path: Path) -> Path:
    (tmp_path / "register").touch(mode=0o200)
    (tmp_path / "status").write_text("enabled\n")
    (tmp_path / "jar").write_text(BY_NAME)
    return tmp_path


def test_a_handler_is_found_by_the_first_bytes_of_the_program(handlers: Path) -> None:
    assert handler_of(AARCH64, handlers) is None

    (handlers / "qemu-aarch64").write_text(QEMU)

    assert handler_of(AARCH64, handlers) == "/usr/bin/qemu-aarch64-static"
    assert handler_of(program(machine="x86_64"), handlers) is None
    assert handler_of(AARCH64[:10], handlers) is None


def test_a_handler_without_a_mask_wants_every_bit_and_one_may_look_further_on(
    handlers: Path,
) -> None:
    (handlers / "exact").write_text(
        "enabled\ninterpreter /emulator\nflags: \noffset 18\nmagic b700\n"
    )

    assert handler_of(AARCH64, handlers) == "/emulator"


def test_one_that_is_disabled_does_not_count(handlers: Path) -> None:
    (handlers / "qemu-aarch64").write_text(QEMU.replace("enabled", "disabled"))

    assert handler_of(AARCH64, handlers) is None


def test_nothing_is_seen_where_binfmt_misc_is_not_mounted(tmp_path: Path) -> None:
    assert handler_of(AARCH64, tmp_path / "none") is None
