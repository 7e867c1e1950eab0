"""A registry by hand: it is started with the same words, and all that was made outside goes."""

from __future__ import annotations

import re
import shutil
import subprocess

from fixtures.report import by_hand

from .runs import FOLDER, Event, api, command, file, process, trial

REGISTRY = f"{FOLDER}/docker/registry/v2"
OLD, LAYER = f"sha256:{'ab' * 32}", f"sha256:{'cd' * 32}"
PROGRAM = ("docker-registry", "serve", "fixtures/engine/registry.yml")
STARTED = process(
    "host",
    *("env", "REGISTRY_HTTP_ADDR=127.0.0.1:5000"),
    f"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY={FOLDER}",
    *PROGRAM,
    pid=7,
)
START = [
    "folder=$(mktemp -d)  # what to do with it, the code says",
    (
        "sudo --background env REGISTRY_HTTP_ADDR=127.0.0.1:5000 "
        "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=$folder "
        "docker-registry serve fixtures/engine/registry.yml &> $folder/log; sleep 1"
    ),
    "registry=$(pgrep --newest --exact docker-registry)",
]
END = ["sudo kill $registry", "sudo rm -r $folder"]


def middle(*events: Event) -> list[str]:
    """What is typed between the start of the registry and its end."""
    lines = by_hand.steps(trial("as-is", "held", STARTED, *events))
    if bash := shutil.which("bash"):
        subprocess.run([bash, "-n"], input="\n".join(lines), text=True, check=True)
    assert [*lines[:3], *END] == [*START, *(line for line in lines if line in END)]
    return [line for line in lines[3:] if line not in END]


def on_the_host(*argv: str, stdout: str = "something") -> Event:
    return command(*argv, where="host", stdout=stdout)


def test_a_registry_is_started_and_ended() -> None:
    assert middle() == []


def test_one_that_came_out_of_an_image_goes_by_the_plain_name_of_its_program() -> None:
    copied = process(
        "host", "env", "REGISTRY_HTTP_ADDR=:5000", f"/var/lib/x/{PROGRAM[0]}", *PROGRAM[1:], pid=7
    )

    (_, line, *_) = by_hand.steps(trial("as-is", "held", copied))

    assert " REGISTRY_HTTP_ADDR=:5000 docker-registry serve " in line


def test_names_that_were_given_or_pulled_go_and_those_that_were_removed_are_gone() -> None:
    imports = f"echo a > {FOLDER}/note && tar -c {FOLDER}/note | docker import - there/imported:1"

    assert middle(
        on_the_host("docker", "tag", "busybox", "there/app:1"),
        on_the_host("docker", "push", "there/app:1"),
        on_the_host("docker", "rmi", "there/app:1"),
        on_the_host("docker", "pull", "there/app:2"),
        on_the_host("sh", "-c", imports),
        api("POST /images/create?fromImage=127.0.0.1:5000/asked&tag=3", "Digest: …"),
    ) == [
        "docker tag busybox there/app:1",
        "docker push there/app:1",
        "docker rmi there/app:1",
        "docker pull there/app:2",
        'sh -c "echo a > $folder/note && tar -c $folder/note | docker import - there/imported:1"',
        (
            "sudo curl --unix-socket /var/run/docker.sock --request POST "
            "'http://docker/images/create?fromImage=127.0.0.1:5000/asked&tag=3'"
        ),
        "docker image rm --force there/app:2 there/imported:1 127.0.0.1:5000/asked:3",
    ]


def test_its_address_and_whom_it_made_trusted_go_with_it() -> None:
    place = "/etc/docker/certs.d/10.99.0.1:5000/ca.crt"

    assert middle(
        on_the_host("ip", "address", "add", "10.99.0.1/32", "dev", "lo"),
        on_the_host("install", "-D", f"{FOLDER}/ca.crt", place),
    ) == [
        "sudo ip address add 10.99.0.1/32 dev lo",
        f"sudo install -D $folder/ca.crt {place}",
        "sudo ip address delete 10.99.0.1/32 dev lo",
        (
            f"sudo rm {place}; sudo rmdir --parents --ignore-fail-on-non-empty "
            "/etc/docker/certs.d/10.99.0.1:5000"
        ),
    ]


def test_digests_are_those_of_here_and_not_of_the_run() -> None:
    tag = f"{REGISTRY}/repositories/app/_manifests/tags/1/current/link"
    manifest = f"{REGISTRY}/blobs/sha256/ab/{'ab' * 32}/data"
    layer = f"{REGISTRY}/blobs/sha256/cd/{'cd' * 32}/data"
    here = "$folder/docker/registry/v2"

    assert middle(
        file(f"{REGISTRY}/repositories", "app:1", "tags"),
        file(f"{REGISTRY}/blobs", f"{OLD} 5", "files"),
        file(f"{FOLDER}/log", "GET /v2/ 200", "requests"),
        file(tag, OLD),
        file(manifest, f"sha256:{'ef' * 32}, {LAYER}", "layers"),
        file(layer, "byte 60 was 1", "changed"),
        on_the_host("docker", "pull", f"there/app@{OLD}"),
    ) == [
        f"find {here}/repositories -path '*/tags/*/current/link'",
        f"find {here}/blobs -type f -printf '%s %P\\n'",
        "cat $folder/log",
        f"digest=$(cat {here}/repositories/app/_manifests/tags/1/current/link)",
        f"cat {here}/repositories/app/_manifests/tags/1/current/link",
        f"cat {here}/blobs/sha256/*/${{digest#sha256:}}/data",
        (
            f"layer=$(grep -o 'sha256:[0-9a-f]*' {here}/blobs/sha256/*/${{digest#sha256:}}/data"
            " | tail -n 1)"
        ),
        f'sudo sh -c "printf X 1<> $(echo {here}/blobs/sha256/*/${{layer#sha256:}}/data)"',
        "docker pull there/app@$digest",
        "docker image rm --force there/app@$digest",
    ]


def test_no_digest_of_the_run_is_typed() -> None:
    typed = middle(file(f"{REGISTRY}/repositories/app/_manifests/tags/1/current/link", OLD))

    assert not re.search("[0-9a-f]{64}", "\n".join(typed))
