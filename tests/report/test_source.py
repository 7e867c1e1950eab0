"""Sources become links where it is known where they can be read, and stay text where it is not."""

from __future__ import annotations

import re
from html import unescape

import pytest

from fixtures.report.source import links

MAN = "https://man7.org/linux/man-pages"
KERNEL = "https://docs.kernel.org"
OCI = "https://github.com/opencontainers"


def addresses(text: str) -> list[tuple[str, str]]:
    """(what is underlined, where it leads) of each link."""
    found = re.findall(r'<a href="([^"]*)" rel="noreferrer">([^<]*)</a>', links(text))
    return [(unescape(words), unescape(address)) for address, words in found]


@pytest.mark.parametrize(
    ("text", "underlined", "address"),
    [
        ("see pid_namespaces(7)", "pid_namespaces(7)", f"{MAN}/man7/pid_namespaces.7.html"),
        ("setns(2), EPERM", "setns(2)", f"{MAN}/man2/setns.2.html"),
        ("cgroup-v2.rst, memory.max", "cgroup-v2.rst", f"{KERNEL}/admin-guide/cgroup-v2.html"),
        (
            "cgroup-v1/memory.rst, Soft limits",
            "cgroup-v1/memory.rst",
            f"{KERNEL}/admin-guide/cgroup-v1/memory.html",
        ),
        ("overlayfs.rst", "overlayfs.rst", f"{KERNEL}/filesystems/overlayfs.html"),
        ("networking/vxlan.rst", "networking/vxlan.rst", f"{KERNEL}/networking/vxlan.html"),
        (
            "OCI runtime-spec config-linux.md",
            "OCI runtime-spec config-linux.md",
            f"{OCI}/runtime-spec/blob/main/config-linux.md",
        ),
        (
            "OCI image-spec, layer.md (whiteouts)",
            "OCI image-spec, layer.md",
            f"{OCI}/image-spec/blob/main/layer.md",
        ),
        ("RFC 7348", "RFC 7348", "https://www.rfc-editor.org/rfc/rfc7348"),
        (
            "https://docs.docker.com/engine/daemon/, data-root",
            "https://docs.docker.com/engine/daemon/",
            "https://docs.docker.com/engine/daemon/",
        ),
        (
            "docs.docker.com/engine/security",
            "docs.docker.com/engine/security",
            "https://docs.docker.com/engine/security",
        ),
        ("(https://x.example/a?b=c&d).", "https://x.example/a?b=c&d", "https://x.example/a?b=c&d"),
        ("It is at https://x.example/a.", "https://x.example/a", "https://x.example/a"),
    ],
)
def test_a_source_that_is_known_is_a_link(text: str, underlined: str, address: str) -> None:
    assert addresses(text) == [(underlined, address)]


def test_all_of_the_text_stays_in_its_order() -> None:
    text = "a & b: clone(2), unshare(1) and <that>"

    assert unescape(re.sub(r"</?a\b[^>]*>", "", links(text))) == text
    assert [words for words, _ in addresses(text)] == ["clone(2)", "unshare(1)"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "moby daemon/config/config_linux.go",
        "opencontainers/runc README.md",
        "man(9), f(x), (7)",
        "http://x.example/",
        "javascript:alert()",
        "https://",
        "notdocs.docker.com/x",
    ],
)
def test_nothing_else_is_a_link(text: str) -> None:
    assert addresses(text) == []


@pytest.mark.parametrize(
    "text",
    [
        '"><script>alert(1)</script>',
        'https://x.example/"onmouseover="alert(1)',
        "https://x.example/'onmouseover='alert(1)",
        "https://x.example/<script>",
        "<img src=x onerror=alert(1)>.rst",
        "OCI image-spec <b>.md",
    ],
)
def test_hostile_text_is_text(text: str) -> None:
    rendered = str(links(text))

    tags = re.findall(r"<[^>]*>", rendered)
    assert all(
        re.fullmatch(r'<a href="https://[^"<>\']*" rel="noreferrer">|</a>', tag) for tag in tags
    )
    assert unescape(re.sub(r"<[^>]*>", "", rendered)) == text
