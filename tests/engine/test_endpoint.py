"""Which engine is chosen, and what is said when it does not answer."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.engine import endpoint
from fixtures.engine.endpoint import Endpoint
from fixtures.engine.errors import EngineUnreachable
from tests.fake_engine import FakeEngine
from tests.fuzzing import fuzzed
from tests.kernel.trees import as_ordinary_user

NAMES = ("currentContext", "Name", "Endpoints", "docker", "Host", "SkipTLSVerify", "mine")


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has set nothing, on a machine without an engine."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    directory = tmp_path / "docker"
    directory.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(directory))
    monkeypatch.setattr(endpoint, "DEFAULT_SOCKET", str(tmp_path / "default.sock"))
    return directory


def choose(configuration: Path, context: str) -> None:
    """What `docker context use` writes."""
    (configuration / "config.json").write_text(json.dumps({"currentContext": context}))


def describe(configuration: Path, context: str, host: str) -> None:
    """What `docker context create` writes."""
    name = hashlib.sha256(context.encode()).hexdigest()
    folder = configuration / "contexts" / "meta" / name
    folder.mkdir(parents=True)
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    text = json.dumps({"Name": context, "Metadata": {}, "Endpoints": endpoints})
    (folder / "meta.json").write_text(text)


# Choosing


def test_nothing_is_chosen_where_nothing_is_set_and_no_socket_is() -> None:
    assert endpoint.find() is None


def test_the_default_socket_is_chosen_where_it_is() -> None:
    Path(endpoint.DEFAULT_SOCKET).touch()

    assert endpoint.find() == Endpoint(f"unix://{endpoint.DEFAULT_SOCKET}", "the default socket")


def test_the_current_context_goes_before_the_default_socket(configuration: Path) -> None:
    Path(endpoint.DEFAULT_SOCKET).touch()
    describe(configuration, "mine", "unix:///run/mine.sock")
    choose(configuration, "mine")

    assert endpoint.find() == Endpoint("unix:///run/mine.sock", "the docker context 'mine'")


def test_docker_context_goes_before_the_current_context(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(configuration, "mine", "unix:///run/mine.sock")
    describe(configuration, "yours", "unix:///run/yours.sock")
    choose(configuration, "mine")
    monkeypatch.setenv("DOCKER_CONTEXT", "yours")

    assert endpoint.find() == Endpoint("unix:///run/yours.sock", "the docker context 'yours'")


def test_docker_host_goes_before_docker_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "nowhere")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/my.sock")

    assert endpoint.find() == Endpoint("unix:///run/my.sock", "DOCKER_HOST")


def test_the_context_called_default_is_the_default_socket(configuration: Path) -> None:
    choose(configuration, "default")

    assert endpoint.find() is None


def test_a_configuration_that_is_no_json_names_no_context(configuration: Path) -> None:
    (configuration / "config.json").write_text("{")

    assert endpoint.find() is None


def test_an_unknown_context_is_refused_with_those_that_there_are(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(configuration, "mine", "unix:///run/mine.sock")
    monkeypatch.setenv("DOCKER_CONTEXT", "nowhere")

    with pytest.raises(EngineUnreachable) as refusal:
        endpoint.find()

    assert str(refusal.value) == (
        "the docker context 'nowhere' does not exist; there are: default, mine\n"
        "Try: docker context use default   (or unset DOCKER_CONTEXT)"
    )


def test_a_context_brings_its_keys(configuration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(configuration, "far", "tcp://far:2376")
    name = hashlib.sha256(b"far").hexdigest()
    keys = configuration / "contexts" / "tls" / name / "docker"
    keys.mkdir(parents=True)
    for key in ("ca.pem", "cert.pem", "key.pem"):
        (keys / key).touch()
    monkeypatch.setenv("DOCKER_CONTEXT", "far")

    found = endpoint.find()

    assert found is not None
    assert found.tls is not None
    assert (found.tls.ca_cert, found.tls.verify) == (str(keys / "ca.pem"), True)
    assert found.tls.cert == (str(keys / "cert.pem"), str(keys / "key.pem"))


def test_a_context_may_have_an_authority_and_no_key_of_the_client_s(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(configuration, "far", "tcp://far:2376")
    keys = configuration / "contexts/tls" / hashlib.sha256(b"far").hexdigest() / "docker"
    keys.mkdir(parents=True)
    (keys / "ca.pem").touch()
    monkeypatch.setenv("DOCKER_CONTEXT", "far")

    found = endpoint.find()

    assert found is not None
    assert found.tls is not None
    assert (found.tls.ca_cert, found.tls.cert) == (str(keys / "ca.pem"), None)


def test_a_context_of_something_else_is_refused(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(configuration, "cluster", "unix:///run/cluster.sock")
    (meta,) = configuration.glob("contexts/meta/*/meta.json")
    meta.write_text(json.dumps({"Name": "cluster", "Endpoints": {"kubernetes": {}}}))
    monkeypatch.setenv("DOCKER_CONTEXT", "cluster")

    with pytest.raises(EngineUnreachable) as refusal:
        endpoint.find()

    assert str(refusal.value) == (
        "the docker context 'cluster' has no endpoint of a Docker Engine\n"
        "Try: docker context use default   (or unset DOCKER_CONTEXT)"
    )


def test_who_has_no_home_has_set_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_CONFIG")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])

    assert endpoint.find() is None


# The docker command's configuration is anything that a user, or a program of his, has written


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(NAMES), inner),
    max_leaves=12,
)
CONTENT = st.binary() | JSON.map(lambda value: json.dumps(value).encode())


@pytest.mark.parametrize("file", ["config.json", "contexts/meta/1/meta.json"])
@fuzzed
@given(content=CONTENT, chosen=st.sampled_from(("", "mine")))
def test_a_configuration_of_whatever_it_holds_is_read_or_refused(
    file: str, content: bytes, chosen: str, configuration: Path
) -> None:
    place = configuration / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)

    with pytest.MonkeyPatch.context() as patch, suppress(EngineUnreachable):
        if chosen:
            patch.setenv("DOCKER_CONTEXT", chosen)
        found = endpoint.find()
        assert found is None or isinstance(found.url, str)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"[]", b"1", b'{"currentContext": 7}'])
def test_a_configuration_that_is_none_names_no_context(configuration: Path, content: bytes) -> None:
    (configuration / "config.json").write_bytes(content)

    assert endpoint.find() is None


def test_what_is_no_file_or_has_no_end_is_not_waited_for(configuration: Path) -> None:
    os.mkfifo(configuration / "config.json")
    (configuration / "contexts/meta/1").mkdir(parents=True)
    (configuration / "contexts/meta/1/meta.json").symlink_to("/dev/zero")
    (configuration / "contexts/meta/2").mkdir()
    with (configuration / "contexts/meta/2/meta.json").open("wb") as huge:
        huge.truncate(1 << 40)

    assert endpoint.find() is None
    assert endpoint._contexts() == {}


def test_a_context_that_can_not_be_read_is_none(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(configuration, "torn", "unix:///run/torn.sock")
    (meta,) = configuration.glob("contexts/meta/*/meta.json")
    meta.write_text("{")
    monkeypatch.setenv("DOCKER_CONTEXT", "torn")

    with pytest.raises(EngineUnreachable, match="'torn' does not exist; there are: default"):
        endpoint.find()


# Connecting


def why(url: str) -> str:
    """What is said of an engine that does not answer at `url`."""
    with pytest.raises(EngineUnreachable) as refusal:
        Endpoint(url, "DOCKER_HOST").connect()
    first, _, remedy = str(refusal.value).partition("\n")
    assert remedy == f"Try: docker --host {url} info"
    beginning = f"no Docker Engine answers at {url} (DOCKER_HOST): "
    assert first.startswith(beginning)
    return first.removeprefix(beginning)


@pytest.mark.parametrize("content", ["[]", "7", '{"HttpHeaders": 1, "proxies": 2, "auths": 3}'])
def test_a_client_takes_nothing_of_the_configuration(
    fake: FakeEngine, configuration: Path, content: str
) -> None:
    (configuration / "config.json").write_text(content)

    client = Endpoint(fake.url, "made up").connect()
    client.close()

    assert client.api._general_configs == {}
    assert client.api._auth_configs.is_empty


def test_a_client_speaks_the_version_that_the_engine_does(fake: FakeEngine) -> None:
    fake.answers["GET /version"] = {"ApiVersion": "1.44"}

    client = Endpoint(fake.url, "made up").connect()
    client.close()

    assert client.api.api_version == "1.44"


def test_where_nothing_is_there_is_no_engine(tmp_path: Path) -> None:
    assert why(f"unix://{tmp_path}/none.sock") == "No such file or directory"


def test_a_socket_that_nobody_listens_at_is_no_engine(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as abandoned:
        abandoned.bind(str(tmp_path / "abandoned.sock"))

    assert why(f"unix://{tmp_path}/abandoned.sock") == "Connection refused"


def test_an_engine_behind_ssh_is_refused_as_another_machine_s() -> None:
    with pytest.raises(EngineUnreachable) as refusal:
        Endpoint("ssh://me@far", "DOCKER_HOST").connect()

    assert str(refusal.value) == (
        "the Docker Engine at ssh://me@far (DOCKER_HOST) is another machine's.\n"
        "The labs read /proc and the cgroups of the machine that they run on.\n"
        "Try: run them on the machine of the engine, or unset DOCKER_HOST and DOCKER_CONTEXT"
    )


def test_a_port_that_nobody_listens_at_is_no_engine() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        assert why(f"tcp://127.0.0.1:{port}") == "Connection refused"


def test_a_socket_of_others_may_not_be_used(fake: FakeEngine) -> None:
    path = Path(fake.url.removeprefix("unix://"))
    path.chmod(0o600 if os.geteuid() == 0 else 0)

    with as_ordinary_user():
        assert why(fake.url) == "Permission denied"


def test_a_url_that_is_none_is_refused() -> None:
    assert why("smoke://signals") == "Invalid bind address protocol: smoke://signals"


def test_something_else_that_listens_is_no_engine(fake: FakeEngine) -> None:
    fake.answers["GET /version"] = {"name": "a web server"}

    assert why(fake.url) == "'ApiVersion'"
