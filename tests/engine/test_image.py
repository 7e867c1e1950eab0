"""The images, made by hand."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import sys
import tarfile
from pathlib import Path

import pytest

from fixtures.engine.image import APPLETS, base_image, is_static, other_image
from fixtures.engine.ownership import Owner

BUSYBOX = b"a busybox"
OWNER = Owner("12345678", 4026531836, 42, 1000)
INTERPRETER, LOADED = 3, 1


def elf(*segments: int, order: str = "<", wide: bool = True) -> bytes:
    """An ELF file of 64 bits, or of 32, with program headers of these types: elf(5)."""
    magic = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    number, size, entry = ("Q", 64, 56) if wide else ("I", 52, 32)
    sizes = (size, entry, len(segments), 0, 0, 0)
    header = struct.pack(f"{order}HHI3{number}IHHHHHH", 2, 62, 1, 0, size, 0, 0, *sizes)
    headers = [struct.pack(f"{order}I{entry - 4}x", kind) for kind in segments]
    return magic + header + b"".join(headers)


def opened(archive: bytes) -> dict[str, bytes]:
    """The files of a tar archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = {member.name: tar.extractfile(member) for member in tar if member.isreg()}
        return {name: file.read() for name, file in members.items() if file}


def layers(archive: bytes) -> list[bytes]:
    """The layers of an image, lowest first."""
    files = opened(archive)
    (image,) = json.loads(files["manifest.json"])
    return [files[name] for name in image["Layers"]]


def test_equal_files_make_equal_images() -> None:
    assert base_image(BUSYBOX, OWNER) == base_image(BUSYBOX, OWNER)
    assert base_image(BUSYBOX, OWNER) != base_image(BUSYBOX + b"!", OWNER)


def test_an_archive_is_what_docker_load_reads() -> None:
    files = opened(base_image(BUSYBOX, OWNER))
    (image,) = json.loads(files["manifest.json"])
    configuration = json.loads(files[image["Config"]])

    assert image["RepoTags"] == [f"isolation-labs/base:{OWNER}"]
    assert configuration["rootfs"]["diff_ids"] == [
        f"sha256:{hashlib.sha256(files[name]).hexdigest()}" for name in image["Layers"]
    ]
    assert len(configuration["history"]) == len(image["Layers"])
    assert image["RepoTags"] == [f"isolation-labs/base:{OWNER}"]


def test_the_lowest_layer_is_busybox_and_links_to_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(layers(base_image(BUSYBOX, OWNER))[0])) as tar:
        links = {member.name: member.linkname for member in tar if member.issym()}
        program = tar.getmember("bin/busybox")

    assert links == {f"bin/{applet}": "busybox" for applet in APPLETS}
    assert (program.mode, program.uid, program.gid, program.mtime) == (0o755, 0, 0, 0)


def test_the_other_image_shares_no_layer_with_the_base() -> None:
    assert not set(layers(base_image(BUSYBOX, OWNER))) & set(layers(other_image(BUSYBOX, OWNER)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False], ids=["64 bits", "32 bits"])
def test_a_program_is_static_when_it_asks_for_no_interpreter(order: str, wide: bool) -> None:
    assert is_static(elf(LOADED, LOADED, order=order, wide=wide))
    assert not is_static(elf(LOADED, INTERPRETER, order=order, wide=wide))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#!/bin/sh\n",
        b"\x7fELF",
        b"\x7fELF\x02\x01",
        b"\x7fELF\x03\x01" + bytes(60),
        elf(LOADED, LOADED)[:100],
    ],
    ids=["nothing", "script", "magic", "beginning", "neither 32 nor 64 bits", "cut off"],
)
def test_what_is_no_whole_program_is_not_static(content: bytes) -> None:
    assert not is_static(content)


def test_the_python_that_runs_this_asks_for_a_loader() -> None:
    assert not is_static(Path(sys.executable).read_bytes())


def test_ldconfig_is_static() -> None:
    """The C library's own tool has to work without a loader: ldconfig(8)."""
    tools = [path for path in ("/sbin/ldconfig.real", "/sbin/ldconfig") if Path(path).exists()]
    if not tools:
        pytest.skip("there is no ldconfig: this C library is not glibc")

    assert is_static(Path(tools[0]).read_bytes())
