"""What programs are made for, where the kernel is another matter."""

from __future__ import annotations

import platform
import struct

import pytest

from fixtures.kernel import NotObservable
from fixtures.kernel.machine import machine
from fixtures.kernel.system_call import SystemCall, program


@pytest.mark.parametrize(
    ("kernel", "pointer", "userland"),
    [
        ("x86_64", 8, "x86_64"),
        ("aarch64", 8, "aarch64"),
        ("aarch64", 4, "armv7l"),
        ("x86_64", 4, "i686"),
        ("armv6l", 4, "armv6l"),
    ],
)
def test_a_kernel_of_64_bits_may_have_a_userland_of_32(
    monkeypatch: pytest.MonkeyPatch, kernel: str, pointer: int, userland: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: kernel)
    monkeypatch.setattr(struct, "calcsize", lambda form: pointer)

    assert machine() == userland


def test_no_program_is_made_for_a_userland_whose_filters_know_other_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A filter of an engine of 32 bits refuses the calls of 64: by their architecture."""
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(struct, "calcsize", lambda form: 4)

    with pytest.raises(NotObservable, match="no machine code for armv7l is known here"):
        program(SystemCall("exit", 0))
