"""The archive of an image: made, read in each layout, and named by what is in it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.engine.archive import Archive, Digest, Entry, Layer
from fixtures.engine.errors import BenchError
from tests.fuzzing import fuzzed

LOWER = Layer.of([Entry("etc/motd", b"hello"), Entry("etc/group", b"root"), Entry("a/b/c", b"1")])
UPPER = Layer.of([Entry("etc/motd", b"changed"), Entry("etc/.wh.group"), Entry(".wh.a")])
CONFIG = b'{"config": {"Cmd": ["sh"]}}'


def tar(**files: bytes | str) -> bytes:
    """An archive; a text is what the file is a link to."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def manifest(config: str, *layers: str) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": None, "Layers": layers}]).encode()


def test_a_digest_is_compared_as_a_whole_and_prints_as_its_beginning() -> None:
    digest = Digest.of(b"a")

    assert digest == f"sha256:{hashlib.sha256(b'a').hexdigest()}"
    assert repr(digest) == "sha256:ca978112ca1b…"
    assert digest != f"{digest[:-1]}x"


def test_a_layer_is_called_by_its_bytes_and_lists_its_files() -> None:
    assert LOWER.digest == Digest.of(LOWER.content)
    assert LOWER.files == {"etc/motd": b"hello", "etc/group": b"root", "a/b/c": b"1"}
    assert Layer.of([Entry("x", b"1")]) == Layer.of([Entry("x", b"1")])
    assert Layer(tar(**{"./x": b"1"})).files == {"x": b"1"}
    assert repr(LOWER) == f"layer {LOWER.digest!r}, 3 files"


def test_one_bit_makes_another_layer() -> None:
    changed = LOWER.with_a_bit_changed()

    assert changed.digest != LOWER.digest
    assert changed.files == LOWER.files | {"a/b/c": b"0"}


def test_an_image_has_the_files_that_its_layers_show_together() -> None:
    assert Archive(CONFIG, (LOWER, UPPER)).files == {"etc/motd": b"changed"}
    assert Archive(CONFIG, (LOWER,)).files == LOWER.files


def test_what_is_packed_is_read_again() -> None:
    made = Archive.of([LOWER, UPPER], Cmd=["sh"])

    read = Archive.read(made.packed("x:latest"))

    assert (read.config, read.layers) == (made.config, made.layers)
    assert {Digest.of(made.config), LOWER.digest, UPPER.digest} < read.digests
    assert json.loads(made.config)["rootfs"]["diff_ids"] == [LOWER.digest, UPPER.digest]


def test_the_config_of_a_changed_image_is_as_it_was() -> None:
    made = Archive.of_files({"hello": b"\x7fELF"}, Cmd=["/hello"])
    changed = made.with_a_bit_changed()

    assert changed.config == made.config
    assert json.loads(changed.config)["rootfs"]["diff_ids"] != [changed.layers[0].digest]
    assert made.files == {"hello": b"\x7fELF"}


@pytest.mark.parametrize("compressed", [False, True])
def test_the_blobs_of_an_oci_layout_are_read_compressed_or_not(compressed: bool) -> None:
    blob = gzip.compress(LOWER.content) if compressed else LOWER.content
    archive = Archive.read(
        tar(
            **{
                "blobs/sha256/c": CONFIG,
                "blobs/sha256/l": blob,
                "manifest.json": manifest("blobs/sha256/c", "blobs/sha256/l"),
            }
        )
    )

    assert (archive.config, archive.layers) == (CONFIG, (LOWER,))


def test_a_layer_that_is_there_twice_is_a_link_in_the_older_layout() -> None:
    archive = Archive.read(
        tar(
            **{
                "1/layer.tar": LOWER.content,
                "2/layer.tar": "../1/layer.tar",
                "c.json": CONFIG,
                "manifest.json": manifest("c.json", "1/layer.tar", "2/layer.tar"),
            }
        )
    )

    assert archive.layers == (LOWER, LOWER)


# An archive of an image that somebody else has made

WHOLE = tar(
    **{"manifest.json": manifest("config.json", "l/layer.tar"), "config.json": CONFIG},
    **{"l/layer.tar": gzip.compress(UPPER.content), "again": "l/layer.tar"},
)
CUTS = st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 600), st.binary(max_size=600))


@fuzzed
@given(cuts=st.lists(CUTS, min_size=1, max_size=4))
def test_one_that_is_damaged_is_read_or_refused(cuts: list[tuple[int, int, bytes]]) -> None:
    content = WHOLE
    for at, length, instead in cuts:
        content = content[:at] + instead + content[at + length :]

    with suppress(BenchError):
        archive = Archive.read(content)
        assert archive.config is not None


@pytest.mark.parametrize(
    "said", [b"[]", b"{}", b"[1]", b"null", b'[{"Config": {}, "Layers": 1}]', b"[" * 100_000]
)
def test_one_whose_manifest_says_something_else_is_refused(said: bytes) -> None:
    with pytest.raises(BenchError, match="the archive of an image is not whole: "):
        Archive.read(tar(**{"manifest.json": said}))


def test_a_link_in_it_leads_nowhere_else() -> None:
    with pytest.raises(BenchError, match="not whole"):
        Archive.read(tar(**{"manifest.json": "/etc/passwd"}))
