"""Programs of system calls: made here, run here, and for another machine at least well-formed."""

from __future__ import annotations

import os
import platform
import struct
import subprocess
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

from fixtures.engine.image import is_static
from fixtures.kernel import NotObservable
from fixtures.kernel.system_call import (
    AT_FDCWD,
    NUMBERS,
    SystemCall,
    answer,
    http,
    program,
    request,
)

runs_here = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"), reason="no machine code for this machine"
)


def made(folder: Path, *calls: SystemCall) -> subprocess.CompletedProcess[bytes]:
    """What becomes of a program of these calls."""
    file = folder / "program"
    file.write_bytes(program(*calls))
    file.chmod(0o755)
    return subprocess.run([file], capture_output=True, check=False, timeout=60)


@runs_here
@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([SystemCall("setns", -1, 0)], "EBADF"),
        ([SystemCall("clone3", 0, 0)], "EINVAL"),
        ([SystemCall("openat", AT_FDCWD, "/", os.O_RDONLY)], "done"),
        ([SystemCall("openat", AT_FDCWD, "/", os.O_WRONLY)], "EISDIR"),
        ([SystemCall("openat", AT_FDCWD, "/no such file", os.O_RDONLY)], "ENOENT"),
    ],
    ids=str,
)
def test_a_program_exits_with_the_answer_of_the_kernel(
    tmp_path: Path, calls: list[SystemCall], said: str
) -> None:
    assert answer(made(tmp_path, *calls).returncode) == said


@runs_here
def test_calls_are_made_in_turn_up_to_the_first_that_fails(tmp_path: Path) -> None:
    one, two = SystemCall("write", 1, b"one ", 4), SystemCall("write", 1, b"two ", 4)
    fails = SystemCall("setns", -1, 0)

    assert made(tmp_path, one, two).stdout == b"one two "
    assert made(tmp_path, one, fails, two).stdout == b"one "


@runs_here
def test_the_numbers_are_those_of_this_machine(tmp_path: Path) -> None:
    header = Path("/usr/include/asm-generic/unistd.h")
    if platform.machine() == "x86_64":
        header = Path(f"/usr/include/{platform.machine()}-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip(f"there is no {header}")
    defined = dict(
        line.split()[1:3]
        for line in header.read_text().splitlines()
        if line.startswith("#define __NR_")
    )
    column = 0 if platform.machine() == "x86_64" else 1

    for name, numbers in NUMBERS.items():
        assert defined[f"__NR_{name}"] == str(numbers[column]), name


@pytest.mark.parametrize(("machine", "number"), [("x86_64", 62), ("aarch64", 183)])
def test_a_program_is_a_static_elf_file_of_its_machine(machine: str, number: int) -> None:
    content = program(SystemCall("setns", -1, 0), machine=machine)

    assert is_static(content)
    assert struct.unpack_from("<HH", content, 16) == (2, number)


def test_the_code_for_aarch64_is_what_an_assembler_makes_of_it() -> None:
    content = program(SystemCall("openat", AT_FDCWD, "/x", 1), machine="aarch64")

    # Taken apart by llvm-mc.
    assert [f"{word:08x}" for (word,) in struct.iter_unpack("<I", content[120:-3])] == [
        "d29ff380", "f2bfffe0", "f2dfffe0", "f2ffffe0",  # mov x0, #-100
        "d2801881", "f2a00801", "f2c00001", "f2e00001",  # mov x1, #0x4000c4
        "d2800022", "f2a00002", "f2c00002", "f2e00002",  # mov x2, #1
        "d2800708", "d4000001",  # mov x8, #56; svc #0
        "6b0003e0", "5400004c",  # negs w0, w0; b.gt #8
        "d2800000", "d2800ba8", "d4000001",  # mov x0, #0; mov x8, #93; svc #0
    ]  # fmt: skip
    assert content[-3:] == b"/x\0"


def test_another_machine_is_not_observable() -> None:
    with pytest.raises(NotObservable, match="no machine code for riscv64 is known here"):
        program(SystemCall("setns", -1, 0), machine="riscv64")


def test_an_answer_that_a_shell_or_a_signal_may_have_given_is_none() -> None:
    assert (answer(0), answer(1), answer(38)) == ("done", "EPERM", "ENOSYS")
    for code in (126, 127, 137, 159):
        with pytest.raises(ValueError, match=f"exit code {code} is no answer"):
            answer(code)


def test_a_call_prints_as_it_would_be_written() -> None:
    assert repr(SystemCall("openat", -100, "/etc", 0)) == 'openat(-100, "/etc", 0)'
    assert repr(SystemCall("unshare", 0x10000000)) == "unshare(0x10000000)"
    assert repr(SystemCall("bind", 3, b"\2\0\0\x50", 4)) == "bind(3, …, 4)"


@runs_here
def test_http_requests_are_made_at_a_unix_socket(tmp_path: Path) -> None:
    asked: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(201)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"done")

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
            pass

        def address_string(self) -> str:
            return "a program"

    with UnixStreamServer(str(tmp_path / "socket"), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        first, second = request("POST", "/a", {"b": 1}), request("POST", "/c", last=True)
        # The program has no shell's redirection: its standard output is a pipe here, too.
        ran = made(tmp_path, *http(str(tmp_path / "socket"), first, second))
        thread.join()

    assert asked == [("/a", b'{"b": 1}'), ("/c", b"")]
    assert (ran.returncode, ran.stdout.count(b"201 Created"), ran.stdout[-4:]) == (0, 2, b"done")
