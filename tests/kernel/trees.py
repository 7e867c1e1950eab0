"""A made-up machine: a directory with the files that the instruments read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fixtures.kernel import Process


class Tree:
    """What a kernel would show below `root`. Paths are those of the made-up machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._namespaces: dict[str, Path] = {}

    def write(self, path: str, text: object) -> Path:
        """A file with `text` and a line break, as kernel files have it."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n", errors="surrogateescape")
        return file

    def mount(self, kind: str, point: str, options: str = "rw", root: str = "/") -> None:
        """One more line in the reader's mount table."""
        table = self.root / "proc/self/mountinfo"
        table.parent.mkdir(parents=True, exist_ok=True)
        number = 100 + len(table.read_text().splitlines()) if table.exists() else 100
        with table.open("a") as file:
            file.write(f"{number} 1 0:{number} {root} {point} rw - {kind} {kind} {options}\n")

    def process(
        self,
        pid: int,
        *,
        name: str = "sleep",
        state: str = "S",
        start: int = 1000,
        cgroup: str = "",
    ) -> Process:
        """A process with its stat, its status and its cgroup, of one line for each hierarchy."""
        fields = [state, "1", *["0"] * 17, str(start), *["0"] * 30]
        self.write(f"proc/{pid}/stat", f"{pid} ({name}) {' '.join(fields)}")
        self.write(f"proc/{pid}/status", f"Name:\t{name}\nState:\t{state} (made up)\nPPid:\t1")
        self.write(f"proc/{pid}/cgroup", cgroup)
        return Process(pid, self.root)

    def namespace(self, pid: int, label: str) -> None:
        """Let a process live in the namespace with that label, such as net:[4026531840]."""
        directory = self.root / f"proc/{pid}/ns"
        directory.mkdir(exist_ok=True)
        inode = directory / label
        if label in self._namespaces:
            os.link(self._namespaces[label], inode)
        else:
            inode.touch()
        self._namespaces[label] = inode
        (directory / label.partition(":")[0]).symlink_to(label)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Makes root a user who may read nothing in a made-up tree; a user stays who they are."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
