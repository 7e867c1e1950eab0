"""A folder with an engine's programs: what is one, and what is said of any other."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from fixtures import static_archive
from fixtures.static_archive import PROGRAMS, Unfit

OURS = Path("/proc/self/exe").read_bytes()[:20]


def built_for(bits: int, machine: int, order: str = "<") -> bytes:
    """The beginning of an ELF file."""
    head = struct.pack(
        f"{order}4sBB10sHH", b"\x7fELF", bits, 1 if order == "<" else 2, b"", 2, machine
    )
    return head + b"the rest"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that has them all, in a path with a space."""
    made = tmp_path / "static docker"
    (made / "cli-plugins").mkdir(parents=True)
    for name in (*PROGRAMS, "cli-plugins/docker-buildx"):
        (made / name).write_bytes(OURS)
        (made / name).chmod(0o755)
    return made


def reason(folder: Path) -> str:
    with pytest.raises(Unfit) as error:
        static_archive.check(folder)
    return str(error.value)


def test_a_folder_with_all_of_them_is_one(folder: Path) -> None:
    static_archive.check(folder)

    assert [str(each.relative_to(folder)) for each in static_archive.programs(folder)] == [
        *PROGRAMS,
        "cli-plugins/docker-buildx",
    ]


def test_it_needs_no_plugins(folder: Path) -> None:
    (folder / "cli-plugins/docker-buildx").unlink()
    (folder / "cli-plugins").rmdir()

    static_archive.check(folder)


def test_a_link_and_a_script_are_programs_too(folder: Path, tmp_path: Path) -> None:
    (folder / "runc").rename(tmp_path / "runc-1.5")
    (folder / "runc").symlink_to(tmp_path / "runc-1.5")
    (folder / "docker-init").write_text("#!/bin/sh\n")

    static_archive.check(folder)


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "ctr").unlink()
    (folder / "runc").unlink()
    (folder / "runc").symlink_to(tmp_path / "nothing")

    assert reason(folder).startswith("it has no ctr, runc; expected is all that Docker's static")


def test_a_path_that_is_none_gets_a_sentence(folder: Path, tmp_path: Path) -> None:
    with_colon = tmp_path / "a:b"
    folder.rename(with_colon)

    assert reason(with_colon) == "its path has a colon, which separates the folders of a PATH"
    assert reason(with_colon.with_name("none")) == "no such folder"
    (tmp_path / "file").touch()
    assert reason(tmp_path / "file") == "it is no folder"


def test_a_program_that_may_not_be_executed_is_named(folder: Path) -> None:
    (folder / "docker-proxy").chmod(0o644)

    assert reason(folder) == "its docker-proxy may not be executed: chmod +x"


@pytest.mark.parametrize("name", ["dockerd", "cli-plugins/docker-buildx"])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (built_for(2, 183), "is built for aarch64, and this machine is x86_64"),
        (built_for(1, 3), "is built for i686, and this machine is x86_64"),
        (built_for(2, 22, ">"), "is built for s390x, and this machine is x86_64"),
        (built_for(2, 8), "is built for e_machine 8, and this machine is x86_64"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is no program"),
        (b"\x7fELF\x02", "is no program"),
        (b"", "is no program"),
    ],
)
def test_a_program_of_another_machine_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, why: str
) -> None:
    monkeypatch.setattr(static_archive.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(static_archive, "_OURS", folder / "runc")
    for each in static_archive.programs(folder):
        each.write_bytes(built_for(2, 62))
    (folder / name).write_bytes(content)

    assert reason(folder) == f"its {name} {why}"


def test_a_python_of_fewer_bits_than_its_kernel_has_programs_of_both(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_archive.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(static_archive, "_OURS", folder / "docker")
    for number, each in enumerate(static_archive.programs(folder)):
        each.write_bytes(built_for(2, 183) if number % 2 else built_for(1, 40))
    (folder / "docker").write_bytes(built_for(1, 40))

    static_archive.check(folder)


def test_what_the_system_says_of_a_path_is_handed_on() -> None:
    name = "x" * 300

    assert reason(Path("/") / name) == f"/{name}: File name too long"
