"""In the place of what a run needs: as much of a Docker Engine as the lab asks for, and pages."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fixtures.engine import BenchError
from fixtures.engine.container import ContainerStarted
from fixtures.engine.daemons import Daemon
from fixtures.engine.options import run_line
from fixtures.events import Run
from fixtures.kernel.observation import announce


class StandInContainer:
    """A container of which only the options and what a look must not change are real."""

    def __init__(self, options: dict[str, Any], role: str = "container") -> None:
        self.options = options
        self.role = role
        self.processes = ["sleep"]
        self.init = SimpleNamespace(alive=True)
        self.removed = False

    @property
    def line(self) -> str:
        return run_line(self.options, str(self.options["image"]))

    def introduce(self) -> None:
        announce(ContainerStarted(self.role, "made-up", "c0ffee", self.line, 42, ()))

    def state(self) -> dict[str, object]:
        return {"processes": list(self.processes), "OOM kills": 0}

    def remove(self) -> None:
        self.removed = True


class StandInEngine:
    """Says what it is, starts containers that are none, and can be made to fail."""

    def __init__(self) -> None:
        self.unreachable: BenchError | None = None
        """what looking for it ends with"""
        self.stopped = False
        """whether it has stopped answering"""
        self.stuck = False
        """whether it fails to clean up"""
        self.contacts = 0
        self.started: list[StandInContainer] = []
        self.images = {"base": "base"}
        self.private = None
        self.is_outside = False
        self.daemons: list[Daemon] = []
        self.where = SimpleNamespace(url="unix:///made/up.sock", reason="a stand-in")
        self.base_image = "sha256:c0ffee"
        self.product = "Docker"
        self.configuration: dict[str, str | None] = {}
        self.version = {"Version": "29.0.0", "ApiVersion": "1.52", "Components": []}
        self.information: dict[str, Any] = {
            "Driver": "overlay2",
            "DockerRootDir": "/made/up",
            "DefaultRuntime": "runc",
            "CgroupDriver": "cgroupfs",
            "CgroupVersion": "2",
            "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=selinux"],
            "CPUSet": True,
            "CPUShares": True,
            "CpuCfsQuota": True,
            "MemoryLimit": True,
            "SwapLimit": True,
            "PidsLimit": True,
        }

    def of_this_machine(self, reaper: object) -> StandInEngine:
        self.contacts += 1
        if self.unreachable:
            raise self.unreachable
        return self

    @property
    def answers(self) -> bool:
        return not self.stopped

    def start(
        self, options: dict[str, Any], *, role: str = "container", shared: bool = False
    ) -> StandInContainer:
        container = StandInContainer(options, role)
        container.introduce()
        self.started.append(container)
        return container

    def find_host(self) -> None:
        pass

    def host_command(self, *argv: str, mounts: bool = False) -> list[str]:
        return list(argv)

    def open_observer(self) -> SimpleNamespace:
        """Asked for where the tests' user is not root; nothing is looked at."""
        return SimpleNamespace(close=lambda: None)

    def close(self) -> None:
        if self.stuck:
            raise OSError("the engine is stuck")


class StandInPages:
    """In the place of fixtures.report.rendering, whose pages take time and have their own tests."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        """what making them ends with"""

    def render(self, run: Run, folder: Path) -> None:
        if self.error:
            raise self.error
        for name in ("evidence.html", "slides.html", "cards/a.html", "outputs/an/output.txt"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"of {run.header['id']}")


class StandInReaper:
    """Has nothing to do: a made-up run leaves nothing."""

    def __init__(self, owner: object) -> None:
        pass

    def watch_private_engines(self) -> None:
        pass

    def dismiss(self) -> None:
        pass
