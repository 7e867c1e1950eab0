"""What goes into a guest, and what comes out."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from fixtures import static_archive
from fixtures.vm import parcel
from fixtures.vm.errors import GuestError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "the project"
    for name in parcel.SUITE:
        if "." in name:
            (folder / name).write_text(name)
        else:
            (folder / name / "__pycache__").mkdir(parents=True)
            (folder / name / "module.py").write_text("x = 1\n")
    return folder


def packed(project: Path, *arguments: str, screen: os.terminal_size | None = None) -> Path:
    disk = project.parent / "sent"
    parcel.pack(disk, project, list(arguments), screen=screen, environment={"LABS_COMMIT": "0a1b+"})
    return disk


def sent_back(tmp_path: Path, files: dict[str, str]) -> Path:
    """A disk as a guest writes it: an archive, and room behind it."""
    disk = tmp_path / "sent-back"
    with tarfile.open(disk, "w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    with disk.open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) + 1024 * 1024)
    return disk


def test_the_suite_goes_in_below_its_own_path_and_is_root_s(project: Path) -> None:
    with tarfile.open(packed(project)) as archive:
        members = {f"/{each.name}": each for each in archive}

    assert f"{project}/labs/module.py" in members
    assert f"{project}/reports" in members
    assert not [name for name in members if "__pycache__" in name]
    assert {each.uid for each in members.values()} == {0}


def test_a_file_that_an_option_names_goes_along(project: Path, tmp_path: Path) -> None:
    (tmp_path / "daemon.json").write_text("{}")

    with tarfile.open(packed(project, f"--lab-daemon-json={tmp_path}/daemon.json")) as archive:
        assert str(tmp_path / "daemon.json").lstrip("/") in archive.getnames()


def test_of_a_folder_the_programs_alone_go_in_and_what_links_lead_to(tmp_path: Path) -> None:
    folder = tmp_path / "built"
    (folder / "cli-plugins").mkdir(parents=True)
    names = [*static_archive.PROGRAMS, "cli-plugins/docker-buildx", "README"]
    for name in names:
        (folder / name).write_text(name)
        (folder / name).chmod(0o755)
    (folder / "runc").unlink()
    (folder / "runc").symlink_to(folder / "README")

    parcel.pack_programs(tmp_path / "disk", folder)

    with tarfile.open(tmp_path / "disk") as archive:
        members = {each.name: each for each in archive}
    assert list(members) == names[:-1]
    assert {(each.isfile(), each.uid, each.mode & 0o111) for each in members.values()} == {
        (True, 0, 0o111)
    }
    assert members["runc"].size == len("README")


def test_a_disk_has_whole_blocks(project: Path) -> None:
    assert packed(project).stat().st_size % 512 == 0


def test_the_settings_are_a_script_that_keeps_every_argument(project: Path) -> None:
    disk = packed(project, "-k", "oom and not swap", "it's")
    with tarfile.open(disk) as archive:
        settings = archive.extractfile("parcel/settings")
        assert settings is not None
        script = settings.read().decode()
    shown = """python3() { printf '%s|' "$LABS_COMMIT" "$@"; }; run_it; echo "$COLUMNS $FOLDER" """

    said = subprocess.run(
        ["sh", "-c", f"{script}\n{shown}"],
        capture_output=True, text=True, check=True, cwd=project,
    )  # fmt: skip

    assert said.stdout == f"0a1b+|-m|pytest|-k|oom and not swap|it's|0 {project}\n"
    assert (project / "status").read_text() == "0\n"


def test_without_root_it_is_run_by_a_user_in_the_group_docker(project: Path) -> None:
    disk = project.parent / "sent"
    parcel.pack(disk, project, ["-v"], screen=None, environment={}, root=False)
    with tarfile.open(disk) as archive:
        settings = archive.extractfile("parcel/settings")
        assert settings is not None
        script = settings.read().decode()
    stubs = """
    getent() { echo docker:x:104:somebody; }
    chown() { echo "chown $*"; }
    chmod() { echo "chmod $* in $PWD"; }
    setpriv() { printf '%s|' "$@"; }
    """

    said = subprocess.run(
        ["sh", "-c", f"{stubs}\n{script}\nrun_it"],
        capture_output=True, text=True, check=True, cwd=project,
    ).stdout  # fmt: skip

    user = parcel.USER
    assert said.splitlines() == [
        f"chown -R {user} .",
        *(f"chmod o+x . in {each}" for each in project.resolve().parents),
        f"--reuid={user}|--regid={user}|--groups=104|python3|-m|pytest|-v|",
    ]


def test_reports_come_back_beside_those_of_the_host(tmp_path: Path) -> None:
    disk = sent_back(
        tmp_path,
        {"status": "1\n", "reports/runs/20260101-1/events.jsonl": "{}", "reports/slides.html": "x"},
    )
    reports = tmp_path / "reports"
    reports.mkdir()

    assert parcel.unpack(disk, reports) == (1, [reports / "runs/20260101-1"])
    assert (reports / "runs/20260101-1/events.jsonl").read_text() == "{}"
    assert not (reports / "slides.html").exists()


def test_a_run_of_the_host_is_not_written_over(tmp_path: Path) -> None:
    disk = sent_back(tmp_path, {"status": "0", "reports/runs/20260101-1/events.jsonl": "{}"})
    taken = tmp_path / "reports/runs/20260101-1"
    taken.mkdir(parents=True)

    _, [run] = parcel.unpack(disk, tmp_path / "reports")

    assert run.name == "20260101-1-2"
    assert list(taken.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["reports/runs/20260101-1/../../../../evil", "reports/runs/../../evil"]
)
def test_nothing_is_written_outside_the_reports(tmp_path: Path, name: str) -> None:
    disk = sent_back(tmp_path, {"status": "0", name: "x"})

    assert parcel.unpack(disk, tmp_path / "a/b/reports") == (0, [])
    assert not list(tmp_path.rglob("evil"))


def test_a_guest_that_sent_nothing_back_is_told(tmp_path: Path) -> None:
    disk = tmp_path / "sent-back"
    with disk.open("wb") as file:
        file.truncate(1024 * 1024)

    with pytest.raises(GuestError, match="what it has sent back is not whole"):
        parcel.unpack(disk, tmp_path / "reports")


def test_the_events_of_a_run_that_was_broken_off_are_kept(tmp_path: Path) -> None:
    events = b'{"id": "20260101-1"}\n{"type": "bench"}\n{"ty'

    assert parcel.rescue(events, tmp_path / "reports") == tmp_path / "reports/runs/20260101-1"
    assert (tmp_path / "reports/runs/20260101-1/events.jsonl").read_text() == (
        '{"id": "20260101-1"}\n{"type": "bench"}\n'
    )


@pytest.mark.parametrize("said", [b"", b'{"ty', b"[]"])
def test_where_there_were_no_events_no_run_is_kept(tmp_path: Path, said: bytes) -> None:
    assert parcel.rescue(said, tmp_path / "reports") is None
