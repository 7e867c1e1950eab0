"""A rootless engine: what it says that it is, and what it can not mount."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.engine import product
from fixtures.engine.container import _refuse_what_is_the_hosts
from fixtures.kernel import NotObservable

REFUSED = (
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
    'container process: error during container init: error mounting "proc" to rootfs at "/proc": '
    "mount proc:/proc (via /proc/self/fd/6), flags: 0xe: operation not permitted: unknown"
)


class Client:
    def __init__(self, **information: object) -> None:
        self.info = lambda: information


def test_it_is_known_by_its_security_options_and_driver() -> None:
    rootless: Any = Client(CgroupDriver="none", SecurityOptions=["name=rootless"])
    ordinary: Any = Client(CgroupDriver="cgroupfs", SecurityOptions=None)

    assert (product.is_rootless(rootless), product.makes_cgroups(rootless)) == (True, False)
    assert (product.is_rootless(ordinary), product.makes_cgroups(ordinary)) == (False, True)


def test_a_proc_of_the_host_is_what_it_can_not_mount() -> None:
    with pytest.raises(NotObservable, match="can not mount a proc of the host"):
        _refuse_what_is_the_hosts({"pid_mode": "host"}, REFUSED)


def test_where_nothing_of_the_host_was_asked_for_it_is_no_reason() -> None:
    _refuse_what_is_the_hosts({}, REFUSED)
    _refuse_what_is_the_hosts({"ipc_mode": "host"}, REFUSED)
    _refuse_what_is_the_hosts({"pid_mode": "host"}, "no such image")
