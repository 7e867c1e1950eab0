"""How a user who is not root runs what takes root, with a made-up sudo."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SECRET = "s3cret"  # noqa: S105
SUDO = """\
#!/bin/bash
printf '%s\\n' "$*" >>"$NOTED"
[ "$1" = -n ] && shift
[ "$REFUSED" ] && exit 1
for each; do [ ! -f "$each" ] || stat -c '%a' "$each" >>"$NOTED"; done
exec env -i PATH="$PATH" "$@"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of an ordinary user who has a password-free sudo."""
    programs = {"sudo": SUDO, "id": "#!/bin/sh\necho 1000\n"}
    for name, text in programs.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "tmp").mkdir()
    return {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "TMPDIR": f"{tmp_path}/tmp",
        "NOTED": f"{tmp_path}/noted",
        "REFUSED": "",
        "HOME": "/home/made-up",
        "DOCKER_HOST": f"tcp://{SECRET}@here",
        "https_proxy": f"http://me:{SECRET}@proxy\nhttp://second-line",
        "DOCKER_PASSWORD": SECRET,
        "LD_PRELOAD_": SECRET,
    }


def run(
    environment: dict[str, str], *words: str, given: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*words], env=environment, input=given, capture_output=True, text=True, check=False
    )


def test_no_value_is_a_word_of_a_command(environment: dict[str, str], tmp_path: Path) -> None:
    done = run(environment, f"{PROJECT}/tools/root.sh", "env")

    noted = (tmp_path / "noted").read_text()
    assert SECRET in done.stdout
    assert "bash" in noted
    assert SECRET not in noted


def test_what_the_labs_and_apt_go_by_is_handed_on_and_no_more(environment: dict[str, str]) -> None:
    done = run(environment, f"{PROJECT}/tools/root.sh", "env", "--null")

    handed_on = dict(each.split("=", 1) for each in done.stdout.split("\0") if each)
    for name in ("HOME", "DOCKER_HOST", "https_proxy"):
        assert handed_on[name] == environment[name]
    assert not {"DOCKER_PASSWORD", "LD_PRELOAD_"} & handed_on.keys()


def test_only_the_user_reads_the_file_and_it_is_gone_before_the_command_runs(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = run(environment, f"{PROJECT}/tools/root.sh", "ls", f"{tmp_path}/tmp")

    assert done.returncode == 0
    assert done.stdout == ""
    assert "600" in (tmp_path / "noted").read_text().splitlines()


def test_the_command_has_the_caller_s_input_and_exit_code(environment: dict[str, str]) -> None:
    done = run(environment, f"{PROJECT}/tools/root.sh", "sh", "-c", "cat; exit 7", given="a b\n")

    assert (done.returncode, done.stdout) == (7, "a b\n")


def test_where_sudo_asks_for_a_password_it_fails_and_leaves_no_file(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = run(environment | {"REFUSED": "yes"}, f"{PROJECT}/tools/root.sh", "true")

    assert done.returncode == 1
    assert list((tmp_path / "tmp").iterdir()) == []


def test_reports_that_are_a_link_are_given_to_nobody(
    environment: dict[str, str], tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "tools").mkdir(parents=True)
    for name in ("root.sh", "run.sh"):
        (checkout / "tools" / name).write_bytes((PROJECT / "tools" / name).read_bytes())
        (checkout / "tools" / name).chmod(0o755)
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to("/bin/true")
    somebodys = tmp_path / "somebody's"
    somebodys.mkdir()
    os.chown(somebodys, 12345, 12345) if os.geteuid() == 0 else somebodys.chmod(0o500)
    (checkout / "reports").symlink_to(somebodys)
    before = somebodys.stat()

    done = run(environment, f"{checkout}/tools/run.sh", "-V")

    assert done.returncode == 0, done.stderr
    assert (somebodys.stat().st_uid, somebodys.stat().st_gid) == (before.st_uid, before.st_gid)
    assert "chown" not in (tmp_path / "noted").read_text()
