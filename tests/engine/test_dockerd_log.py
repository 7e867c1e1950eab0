"""The one line of a log that says why dockerd has ended. The logs are of Docker 20.10."""

from __future__ import annotations

import pytest

from fixtures.engine.dockerd_log import reason

PICKS = (
    'time="2026-11-29T22:28:22.492614730Z" level=info msg="[core] Subchannel picks a new address '
    '\\"unix:///var/lib/isolation-labs/e.1/exec/containerd/containerd.sock\\" to connect" '
    "module=grpc\n"
)
PRUNES = (
    'time="2026-11-29T22:28:23.640980233Z" level=error msg="[graphdriver] prior storage driver '
    '\\"vfs\\" failed: driver not supported"\n'
)
CONFIGURE = (
    "unable to configure the Docker daemon with file /var/lib/isolation-labs/e.1/daemon.json: "
)
FATAL = 'time="2026-11-29T22:28:24.1Z" level=fatal msg="open /x: \\"no\\"\\tsuch\\u2026"\n'


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            f"{PICKS}failed to start daemon: error initializing graphdriver: driver not supported\n",
            "error initializing graphdriver: driver not supported",
        ),
        (
            (f"{PICKS}failed to start daemon: error initializing graphdriver: prerequisites for "
            f"driver not satisfied (wrong filesystem?)\n{PICKS}"),
            ("error initializing graphdriver: prerequisites for driver not satisfied (wrong "
            "filesystem?)"),
        ),
        (
            (f"{PICKS}failed to start daemon: Error initializing network controller: invalid CIDR "
            "address: nonsense\n"),
            "Error initializing network controller: invalid CIDR address: nonsense",
        ),
        (
            f"{CONFIGURE}the following directives don't match any configuration option: colour\n",
            "the following directives don't match any configuration option: colour",
        ),
        (
            (f"{CONFIGURE}json: cannot unmarshal string into Go struct field Config.debug of type "
            "bool\n"),
            "json: cannot unmarshal string into Go struct field Config.debug of type bool",
        ),
        ("unable to parse logging level: loud\n", "unable to parse logging level: loud"),
        (f"{PICKS}panic: out of order\n\ngoroutine 1 [running]:\n", "panic: out of order"),
        (PRUNES + PICKS, '[graphdriver] prior storage driver "vfs" failed: driver not supported'),
        (FATAL.replace("\\u2026", "\\x1b"), 'open /x: \\"no\\"\\tsuch\\x1b'),
        (FATAL, 'open /x: "no"\tsuch…'),
        (
            PICKS,
            ('[core] Subchannel picks a new address "unix:///var/lib/isolation-labs/e.1/exec/'
            'containerd/containerd.sock" to connect'),
        ),
        ("dockerd: line 1: syntax error\n\n", "dockerd: line 1: syntax error"),
        ("\n", "it has said nothing"),
    ],
)  # fmt: skip
def test_the_reason_stands_alone(log: str, expected: str) -> None:
    assert reason(log) == expected
