"""`make soak` with a name that no experiment has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import soak

EXPERIMENTS = """\
def test_a_container_process_has_one_pid_inside_and_another_outside():
    pass


def test_an_oom_kill_is_counted():
    pass
"""


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("nothing", ""),
        ("onepid", ". Did you mean 'one_pid'?"),
        ("ooom", ". Did you mean 'oom'?"),
        ("one_pid and nothing", ""),
    ],
)
def test_no_experiment_is_called_so(
    name: str,
    hint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "test_01.py").write_text(EXPERIMENTS)
    monkeypatch.setattr(soak, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["soak", name])

    status = soak.main()

    assert status == 1
    assert capsys.readouterr().err == f"soak: no experiment is called so: {name!r}{hint}\n"
