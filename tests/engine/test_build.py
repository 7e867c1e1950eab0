"""Building images: which docker has which builder, how it is asked, and what an engine has then."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from fixtures.engine import BenchError, Engine, Owner, build
from fixtures.engine.archive import Archive, Entry, Layer
from fixtures.engine.build import BUILDKIT, CLASSIC, NONE, Builder, ImageBuilt
from fixtures.engine.container import ApiRead
from fixtures.engine.options import DEFAULTS, merged
from fixtures.kernel import NotObservable
from fixtures.kernel.system_call import SystemCall, program

FILES = {"note": "a text", "hello": b"\x7fELF\xff"}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of two folders, in which test_ may put programs called docker."""
    build._has_buildkit.cache_clear()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    system = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    monkeypatch.setenv("SYSTEM_PATH", system)
    return tmp_path


def put_docker(folder: Path, version: str, *, buildx: bool = False, builds: str = "") -> Path:
    """A docker that says it is of that version, and runs `builds` instead of building."""
    script = f"""\
#!/bin/sh
PATH=$SYSTEM_PATH
case "$1" in
--version) echo "Docker version {version}, build 0000000" ;;
buildx) exit {0 if buildx else 1} ;;
build) {builds or "exit 9"} ;;
esac
"""
    (folder / "docker").write_text(script)
    (folder / "docker").chmod(0o755)
    return folder / "docker"


def builds_of(announced: list[object]) -> list[ImageBuilt]:
    return [each for each in announced if isinstance(each, ImageBuilt)]


# Which docker


@pytest.mark.parametrize("version", ["18.09.9", "20.10.24+dfsg1", "22.06.0-beta"])
def test_a_docker_of_these_years_has_buildkit_built_in(path: Path, version: str) -> None:
    docker = put_docker(path / "first", version)

    assert build.program(BUILDKIT) == str(docker)
    assert build.available() == [BUILDKIT, CLASSIC]


@pytest.mark.parametrize("version", ["17.12.1", "23.0.0", "28.2.2"])
def test_any_other_docker_has_it_with_the_plugin_buildx(path: Path, version: str) -> None:
    put_docker(path / "first", version)

    assert build.available() == [CLASSIC]

    build._has_buildkit.cache_clear()
    put_docker(path / "first", version, buildx=True)

    assert build.available() == [BUILDKIT, CLASSIC]


@pytest.mark.parametrize(("status", "found"), [(0, [BUILDKIT, CLASSIC]), (1, [CLASSIC])])
def test_a_docker_that_is_not_installed_has_the_plugins_beside_it(
    path: Path, status: int, found: list[str]
) -> None:
    put_docker(path / "first", "29.7.2", buildx=False)
    plugin = path / "first/cli-plugins/docker-buildx"
    plugin.parent.mkdir()
    plugin.write_text(f'#!/bin/sh\n[ "$1" = version ] && exit {status}\n')
    plugin.chmod(0o755)

    assert build.available() == found


def test_the_first_docker_that_has_a_builder_is_taken(path: Path) -> None:
    new = put_docker(path / "first", "28.2.2")
    old = put_docker(path / "second", "20.10.24")

    assert (build.program(CLASSIC), build.program(BUILDKIT)) == (str(new), str(old))


def test_what_is_missing_is_said_with_how_to_get_it(path: Path) -> None:
    with pytest.raises(NotObservable, match=r"no docker in the PATH\. .*install docker\.io"):
        build.program(CLASSIC)
    with pytest.raises(NotObservable, match=r"client for BuildKit\. .*install docker-buildx"):
        build.program(BUILDKIT)
    assert build.available() == []


# How it is asked


def builder(client: docker.DockerClient, kind: str = BUILDKIT) -> Builder:
    return Builder(client, Owner.current(), "unix:///made/up", lambda *argv: argv, kind)


def test_docker_build_gets_the_files_and_the_options_and_nothing_of_the_user_s(
    path: Path,
    client: docker.DockerClient,
    fake: object,
    announced: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", "linux/s390x")
    monkeypatch.setenv("BUILDX_BUILDER", "theirs")
    put_docker(
        path / "first",
        "20.10.24",
        builds='env | grep -E "^(DOCKER|BUILD)" | sort; echo "$@"; head -c 1000 -- * */*; '
        'test -x hello -a ! -x note && echo modes; cat "$DOCKER_CONFIG/config.json"; exit 3',
    )

    with pytest.raises(BenchError) as failure:
        builder(client)(
            "  FROM busybox\n  COPY note /\n",
            {**FILES, "deeper/note": "another"},
            "app",
            build_arg={"A": "1", "B": "2 3"},
            squash=True,
            no_cache=False,
        )

    (built,) = builds_of(announced)
    assert built.line == (
        "DOCKER_BUILDKIT=1 docker build --network=none --build-arg=A=1 '--build-arg=B=2 3' "
        "--squash --tag=lab-app ."
    )
    assert str(failure.value).startswith(f"{built.line}\nfailed: ")
    assert (built.builder, built.name, built.exit_code, built.image) == (
        BUILDKIT, "lab-app", 3, None
    )  # fmt: skip
    assert built.files == {
        "Dockerfile": "FROM busybox\nCOPY note /\n",
        **FILES,
        "deeper/note": "another",
    }
    variables = [line for line in built.output.splitlines() if line.startswith(("DOCKER", "BUILD"))]
    assert [line for line in variables if not line.startswith("DOCKER_CONFIG=")] == [
        "BUILDKIT_PROGRESS=plain",
        "BUILDX_NO_DEFAULT_ATTESTATIONS=1",
        "DOCKER_BUILDKIT=1",
        "DOCKER_HOST=unix:///made/up",
    ]
    plugins = f'{{"cliPluginsExtraDirs": ["{path}/first/cli-plugins", '
    for text in ("FROM busybox\nCOPY note /", "a text", "another", "modes", plugins):
        assert text in built.output
    (config,) = (line.partition("=")[2] for line in variables if line.startswith("DOCKER_CONFIG="))
    assert not Path(config).exists()


def test_a_build_that_does_not_end_is_ended(
    path: Path, client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "SECONDS", 0.2)
    put_docker(path / "first", "20.10.24", builds="exec sleep 100")

    with pytest.raises(BenchError, match=r"was not done after 0\.2 s"):
        builder(client)("FROM busybox")


# On an engine


@pytest.fixture
def ours(engine: Engine) -> Iterator[Engine]:
    """A private engine, which has the same images afterwards."""
    if engine.private is None:
        pytest.skip("the engine is the user's")
    before = engine.image_ids
    yield engine
    engine.forget_images(but=before)
    assert engine.image_ids == before


@pytest.mark.engine
@pytest.mark.parametrize("kind", [CLASSIC, BUILDKIT])
def test_both_builders_make_the_image_that_the_dockerfile_says(
    ours: Engine, announced: list[object], kind: str
) -> None:
    if kind not in build.available():
        pytest.skip(f"no docker here has the builder {kind}")

    made = ours.builder(kind)(
        "FROM busybox\nENV WHO=me\nCOPY note /note\nRUN rm /etc/group", {"note": "a text"}, "app"
    )

    base = ours.image("busybox")
    assert (made.name, str(made), made.tags) == ("lab-app", "lab-app", ["lab-app:latest"])
    assert made.layers[:-2] == base.layers
    assert [step.adds_a_layer for step in made.history[-3:]] == [False, True, True]
    assert "WHO=me" in made.config["Env"]
    assert made.architecture == base.architecture
    assert made.size >= base.size
    assert [layer.digest for layer in made.saved.layers] == made.layers
    assert made.id in made.saved.digests
    assert [layer.files for layer in made.saved.layers[-2:]] == [
        {"note": b"a text"},
        {"etc/.wh.group": b""},
    ]
    assert made.read("/note") == "a text"
    (built,) = builds_of(announced)
    assert (built.builder, built.exit_code, built.image) == (kind, 0, made.id)
    assert ApiRead("docker run --rm lab-app cat /note", "a text") in announced


@pytest.mark.engine
def test_an_image_is_loaded_or_refused(ours: Engine, announced: list[object]) -> None:
    # What is known is not looked at again, so these bytes are of this test alone.
    content = subprocess.run(
        ["cat", "/proc/sys/kernel/random/uuid"], capture_output=True, check=True
    )
    archive = Archive.of([Layer.of([Entry("note", content.stdout)])], Cmd=["/note"])

    changed = ours.load(archive.with_a_bit_changed(), "app")
    refused = changed.image is None
    if changed.image is None:
        assert "diff" in changed.error
    else:  # the containerd image store looks at a layer when a container is made of it
        assert ours.run(merged(DEFAULTS, {"image": changed.image.name})) == 125
    loaded = ours.load(archive, "app")

    assert loaded.image is not None
    assert (loaded.error, loaded.image.layers) == ("", [archive.layers[0].digest])
    assert [
        (each.builder, each.name, each.exit_code, each.line) for each in builds_of(announced)
    ] == [
        (
            NONE,
            "lab-app",
            int(refused),
            "tar -c manifest.json config.json layer1.tar | docker load",
        ),
        (NONE, "lab-app", 0, "tar -c manifest.json config.json layer1.tar | docker load"),
    ]


@pytest.mark.engine
def test_an_image_of_a_container_has_its_layers_or_none_of_them(ours: Engine) -> None:
    container = ours.start(DEFAULTS)
    try:
        container.write("/note", "in the container")

        committed, flat = ours.commit(container, "committed"), ours.flatten(container, "flat")

        assert committed.layers[:-1] == ours.image("busybox").layers
        assert committed.read("/note") == flat.read("/note") == "in the container"
        assert len(flat.layers) == 1
    finally:
        container.remove()


@pytest.mark.engine
def test_an_image_runs_its_own_command_and_one_without_is_refused(ours: Engine) -> None:
    files = {"seven": program(SystemCall("exit", 7))}
    own = merged(DEFAULTS, {"command": ()})

    codes = []
    for name, command in {"with": ["/seven"], "without": None}.items():
        ours.load(Archive.of_files(files, Cmd=command), name)
        codes.append(ours.run(merged(own, {"image": f"lab-{name}"})))

    assert codes == [7, 125]


def test_a_user_s_engine_is_left_as_it_is(client: docker.DockerClient) -> None:
    theirs = Engine.__new__(Engine)
    theirs.private = None

    with pytest.raises(BenchError, match="mark the experiment @suite_engine"):
        theirs.builder(CLASSIC)
    with pytest.raises(BenchError, match="to load images leaves something"):
        theirs.load(Archive.of_files({}))
    with pytest.raises(BenchError, match="to forget images"):
        theirs.forget_images(but=set())
