"""The cache of guests, and what building one needs."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from fixtures.vm import apt, image
from fixtures.vm.errors import GuestError


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
@pytest.mark.parametrize("exists", [True, False])
def test_root_leaves_nothing_in_the_home_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, exists: bool
) -> None:
    """sudo may keep HOME."""
    if os.geteuid() != 0:
        pytest.skip("only root can be in another's home")
    home = tmp_path / "home"
    home.mkdir()
    if exists:
        (home / ".cache").mkdir()
        os.chown(home / ".cache", 65534, 65534)
    os.chown(home, 65534, 65534)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(variable, str(home))

    assert image.cache() == Path("/var/cache/isolation-labs/vm")


def test_a_user_s_own_caches_are_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert image.cache() == tmp_path / "home/.cache/isolation-labs/vm"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert image.cache() == tmp_path / "caches/isolation-labs/vm"


def test_without_a_home_it_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)

    with pytest.raises(GuestError, match="no home directory\nTry: set XDG_CACHE_HOME to a folder"):
        image.cache()


@pytest.mark.parametrize("name", ["isolation-labs", "isolation-labs/vm"])
def test_a_cache_that_somebody_else_has_made_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As anybody could in a temporary folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = tmp_path / "cache" / name
    (tmp_path / "theirs" / "vm").mkdir(parents=True)
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "theirs")

    with pytest.raises(GuestError, match=f"{name} is no folder of this user's own\nTry: set XDG_"):
        image.get(None, None, tmp_path)


def test_nobody_else_can_hold_the_lock(cache: Path, project: Path) -> None:
    (cache / "lock").touch(mode=0o644)
    built(cache, project, "forky")

    image.get(None, None, project)

    assert stat.S_IMODE((cache / "lock").stat().st_mode) == 0o600


def test_a_lock_that_is_a_link_is_not_followed(cache: Path, project: Path, tmp_path: Path) -> None:
    (cache / "lock").symlink_to(tmp_path / "outside")

    with pytest.raises(GuestError, match="can not be written"):
        image.get(None, None, project)

    assert not (tmp_path / "outside").exists()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("pytest==9.2.0\n")
    return tmp_path


def built(cache: Path, project: Path, suite: str) -> Path:
    """A guest in the cache, with its QEMU."""
    (cache / "qemu-forky").mkdir(exist_ok=True)
    folder = cache / f"{suite}-{image._key(suite, project / 'requirements.txt')}"
    folder.mkdir()
    return folder


def test_what_is_there_is_taken_without_asking_anybody(
    cache: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    folder = built(cache, project, "forky")

    found = image.get(None, None, project)

    assert (found.suite, found.disk) == ("forky", folder / "disk")


def test_another_requirement_package_or_script_makes_another_guest(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = project / "requirements.txt"
    keys = [image._key("forky", file), image._key("trixie", file)]
    file.write_text("pytest==9.3.0\n")
    keys.append(image._key("forky", file))
    monkeypatch.setattr(image, "PACKAGES", ("docker.io", "podman"))
    keys.append(image._key("forky", file))
    (tmp_path / "guest").mkdir()
    (tmp_path / "guest/run").write_text("#!/bin/sh\n")
    monkeypatch.setattr(image, "GUEST", tmp_path / "guest")
    keys.append(image._key("forky", file))

    assert len(set(keys)) == len(keys)


def test_the_newest_debian_that_there_is_is_taken(
    cache: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(apt, "offers", lambda mirror, suite: suite == "trixie")
    monkeypatch.setattr(image, "_check_tools", lambda: None)
    monkeypatch.setattr(image, "_build_qemu", lambda top, mirror: (top / "qemu-trixie").mkdir())

    def build(place: Path, suite: str, mirror: str, requirements: Path) -> None:
        made.append((suite, mirror))
        place.mkdir()

    monkeypatch.setattr(image, "_build", build)

    assert image.get(None, "http://mirror/debian", project).suite == "trixie"
    assert made == [("trixie", "http://mirror/debian")]


def test_a_release_that_the_mirror_does_not_have_is_told(
    cache: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "offers", lambda mirror, suite: False)

    with pytest.raises(GuestError, match="http://mirror/debian has no Debian called sarge"):
        image.get("sarge", "http://mirror/debian", project)
    with pytest.raises(GuestError, match="has none of forky, trixie, bookworm, of which a guest"):
        image.get(None, "http://mirror/debian", project)


def test_without_the_tools_their_packages_are_named(
    cache: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "offers", lambda mirror, suite: True)
    monkeypatch.setattr(image.shutil, "which", lambda name, path: name in ("xz", "depmod"))
    monkeypatch.setattr(image.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(image, "_check_ours", lambda top: None)

    with pytest.raises(GuestError) as error:
        image.get("forky", "http://mirror/debian", project)

    assert str(error.value) == (
        "building the guest needs mmdebstrap, mke2fs, fakeroot, newuidmap, which is not installed\n"
        "Try: apt-get install mmdebstrap e2fsprogs fakeroot uidmap"
    )


def test_a_full_disk_is_told_before_anything_is_fetched(
    cache: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "offers", lambda mirror, suite: True)
    monkeypatch.setattr(image, "_check_tools", lambda: None)
    monkeypatch.setattr(image.shutil, "disk_usage", lambda path: SimpleNamespace(free=1024**3))

    with pytest.raises(GuestError) as error:
        image.get("forky", "http://mirror/debian", project)

    assert str(error.value) == (
        f"building the guest takes 4 GiB in {cache} for a while, and 1.0 GiB are free\n"
        "Try: make room, or set XDG_CACHE_HOME and TMPDIR to folders on a larger disk"
    )


def test_a_cache_that_can_not_be_written_is_told(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    with pytest.raises(GuestError, match="Try: set XDG_CACHE_HOME to a folder of yours"):
        image.get("forky", None, project)


def test_another_kind_of_machine_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image.platform, "machine", lambda: "aarch64")

    with pytest.raises(GuestError, match="the guest is for x86_64, and this machine is aarch64"):
        image.get("forky", None, project)


def test_a_guest_that_was_not_built_to_its_end_is_none(cache: Path) -> None:
    with suppress(KeyboardInterrupt), image._half_built(cache / "forky-1") as folder:
        (folder / "disk").touch()
        raise KeyboardInterrupt

    assert list(cache.iterdir()) == []


def test_what_a_builder_left_that_was_killed_is_removed(cache: Path, project: Path) -> None:
    built(cache, project, "forky")
    (cache / ".building-abc").mkdir()

    image.get("forky", None, project)

    assert not (cache / ".building-abc").exists()


def test_a_command_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(GuestError) as error:
        image._run("sh", "-c", "echo no such suite >&2; exit 3", cwd=tmp_path)

    assert str(error.value).endswith("which said in the end:\n  no such suite")


def test_qemu_runs_with_its_own_libraries(tmp_path: Path, cache: Path) -> None:
    (cache / "qemu-forky").mkdir()
    (cache / "forky-1").mkdir()
    linker, *rest = image.Image(cache / "forky-1", cache / "qemu-forky", "forky").qemu

    assert linker.startswith(str(cache))
    assert rest[0] == "--library-path"


def test_the_mirror_is_the_one_that_apt_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "apt-get"
    program.write_text(
        "#!/bin/sh\nprintf 'Other\\thttp://other/\\nDebian\\thttp://mirror/debian/\\n'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert apt.mirror() == "http://mirror/debian/"

    program.write_text("#!/bin/sh\nprintf 'Ubuntu\\thttp://ubuntu/\\n'\n")
    with pytest.raises(GuestError, match="apt knows no archive of Debian here"):
        apt.mirror()

    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(GuestError, match="there is no apt here"):
        apt.mirror()
