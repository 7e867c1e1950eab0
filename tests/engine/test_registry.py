"""A registry: its disk and its log as facts, and nothing of it left."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from fixtures.engine import BenchError, Engine, Owner, private, registry
from fixtures.engine.docker_command import DockerCommand
from fixtures.engine.reaper import Reaper
from fixtures.engine.registry import Registry, Request


def on_an_engine(test: Callable[..., None]) -> Callable[..., None]:
    """Marks a test that needs a private engine and the program."""
    lacks = private.missing() or (
        None if shutil.which(registry.PROGRAM) else f"there is no {registry.PROGRAM}"
    )
    return pytest.mark.engine(pytest.mark.skipif(lacks is not None, reason=str(lacks))(test))


@pytest.fixture(scope="module")
def own(reaper: Reaper) -> Iterator[Engine]:
    """An engine with an /etc/docker of its own."""
    engine = Engine.start_private(Owner.current(), reaper, own_certificates=True)
    yield engine
    engine.close()


@pytest.fixture
def docker(own: Engine) -> Iterator[DockerCommand]:
    command = DockerCommand(own)
    yield command
    command.close()


@pytest.mark.parametrize(
    ("logged", "request_"),
    [
        (
            ("GET", "/v2/app/manifests/1", "200"),
            "GET /v2/app/manifests/1 200",
        ),
        (
            ("PUT", "/v2/app/blobs/uploads/1e9f-fff?_state=4D3&digest=sha256%3A04b6", "201"),
            "PUT /v2/app/blobs/uploads/… sha256:04b6 201",
        ),
        (
            ("POST", "/v2/shop/blobs/uploads/?from=app&mount=sha256%3A04b6", "201"),
            "POST /v2/shop/blobs/uploads/ 201",
        ),
    ],
)
def test_a_line_of_the_log_is_a_request_without_what_differs_in_every_run(
    logged: tuple[str, str, str], request_: str
) -> None:
    assert str(Request.of_log(*logged)) == request_


def test_the_log_of_a_registry_has_other_lines_too() -> None:
    log = (
        'time="2026-11-22T21:38:49Z" level=error msg="response completed with error"\n'
        '127.0.0.1 - - [22/Nov/2026:21:38:49 +0000] "GET /v2/ HTTP/1.1" 200 2 "" "docker/20.10"\n'
    )

    assert registry._LOGGED.findall(log) == [("GET", "/v2/", "200")]


@on_an_engine
def test_what_is_pushed_is_on_its_disk_and_in_its_log(own: Engine, docker: DockerCommand) -> None:
    opened = Registry(own)
    try:
        name = f"{opened.address}/app:1"
        assert (opened.names, opened.blobs, opened.received) == ([], {}, [])

        made = docker.make_image("a program", name)
        docker("push", name)

        (layer,) = opened.layers("app:1")
        assert opened.names == ["app:1"]
        assert opened.digest("app:1") in opened.blobs
        assert layer in opened.received
        # The id is the config's, or with the containerd image store the manifest's.
        assert made.id in {*opened.received, opened.digest("app:1")}
        assert opened.sent == []

        listed = f"{opened.address}/app:list"
        docker("manifest", "create", "--insecure", listed, name)
        docker("manifest", "push", "--insecure", "--purge", listed)
        assert list(opened.platforms("app:list").values()) == [opened.digest("app:1")]

        docker("rmi", name)
        docker("pull", name)
        assert layer in opened.sent

        docker("rmi", name)
        opened.tamper(layer)
        assert layer in docker.attempt("pull", name).stderr
        with pytest.raises(BenchError, match="the registry has no app:2: it was not pushed"):
            opened.digest("app:2")
    finally:
        opened.close()
    assert not opened._folder.exists()
    assert docker.images("127.0.0.1:5000/app") == []


@on_an_engine
def test_a_second_one_at_its_address_is_a_broken_bench_and_the_first_goes_on(
    own: Engine, docker: DockerCommand
) -> None:
    first = Registry(own, ip="10.99.0.1")
    try:
        with pytest.raises(BenchError, match="`ip address add"):
            Registry(own, ip="10.99.0.1")

        docker("tag", "busybox", f"{first.address}/app:1")
        assert "HTTP response to HTTPS" in docker.attempt("push", f"{first.address}/app:1").stderr
    finally:
        first.close()


@on_an_engine
def test_an_engine_with_certificates_of_its_own_leaves_the_host_s_alone(
    own: Engine, docker: DockerCommand
) -> None:
    opened = Registry(own, ip="10.99.0.1", certificate="valid")
    try:
        name = f"{opened.address}/app:1"
        docker("tag", "busybox", name)
        assert "unknown authority" in docker.attempt("push", name).stderr

        opened.make_trusted()

        docker("push", name)
        assert opened.names == ["app:1"]
        assert not Path(f"/etc/docker/certs.d/{opened.address}").exists()
    finally:
        opened.close()


def test_what_would_stay_on_the_user_s_engine_is_refused() -> None:
    users = SimpleNamespace(private=None)

    with pytest.raises(BenchError, match="@suite_engine"):
        Registry(users)  # type: ignore[arg-type]
    with pytest.raises(BenchError, match="@suite_engine"):
        DockerCommand(users)  # type: ignore[arg-type]


@on_an_engine
def test_a_docker_command_that_fails_is_a_broken_bench_where_it_must_not(
    docker: DockerCommand,
) -> None:
    with pytest.raises(BenchError, match="`docker rmi lab-none`, exit code 1 on the host"):
        docker("rmi", "lab-none")
    assert docker.attempt("rmi", "lab-none").exit_code == 1
