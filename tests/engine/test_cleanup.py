"""What is removed from an engine: the owner's things, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import docker
import pytest
from docker.errors import APIError
from hypothesis import given
from hypothesis import strategies as st

from fixtures.engine import cleanup
from fixtures.engine.ownership import LABEL, Owner
from tests.fake_engine import FakeEngine
from tests.fuzzing import fuzzed

OURS = Owner.current()
DEAD = replace(OURS, boot="00000000")
THEIRS = replace(OURS, pid_namespace=1)


@pytest.fixture(autouse=True)
def full(fake: FakeEngine) -> None:
    """The engine has of everything one of each owner, and one that somebody else has labelled."""
    owners = {"ours": str(OURS), "dead": str(DEAD), "theirs": str(THEIRS), "foreign": "anybody's"}
    labels = {name: {LABEL: text} for name, text in owners.items()}
    fake.answers |= {
        "GET /containers/json": [
            {
                "Id": f"{name}-container",
                "Names": [f"/isolation-labs-{name}"],
                "ImageID": "sha256:1",
                "Labels": label,
            }
            for name, label in labels.items()
        ],
        "GET /images/sha256:1/json": {"Config": {"Labels": {"maintainer": "somebody"}}},
        "GET /networks": [
            {"Id": f"{name}-network", "Name": f"isolation-labs-{name}", "Labels": label}
            for name, label in labels.items()
        ],
        "GET /volumes": {
            "Volumes": [
                {"Name": f"isolation-labs-{name}", "Labels": label}
                for name, label in labels.items()
            ]
        },
        "GET /images/json": [
            {"RepoTags": [f"isolation-labs/base:{text}" for text in owners.values()]},
            {"RepoTags": None},
        ],
    }
    for name, text in owners.items():
        for kind in ("container", "network"):
            fake.answers[f"DELETE /{kind}s/{name}-{kind}"] = ""
        fake.answers[f"DELETE /volumes/isolation-labs-{name}"] = ""
        fake.answers[f"DELETE /images/isolation-labs/base:{text}"] = []


def removed(fake: FakeEngine) -> list[str]:
    """The paths of what the engine was asked to remove."""
    return sorted(each.removeprefix("DELETE ") for each in fake.asked if each[0] == "D")


def everything_of(name: str, owner: Owner) -> list[str]:
    return [
        f"/containers/{name}-container",
        f"/images/isolation-labs/base:{owner}",
        f"/networks/{name}-network",
        f"/volumes/isolation-labs-{name}",
    ]


def test_all_that_an_owner_has_is_removed_and_nothing_else(
    fake: FakeEngine, client: docker.DockerClient
) -> None:
    cleanup.remove_all_of(client, OURS)

    assert removed(fake) == everything_of("ours", OURS)


def test_a_sweep_removes_what_the_dead_have_left_and_nothing_else(
    fake: FakeEngine, client: docker.DockerClient
) -> None:
    assert cleanup.sweep(client) == 4
    assert removed(fake) == everything_of("dead", DEAD)


def test_what_has_our_label_and_another_s_name_is_left(
    fake: FakeEngine, client: docker.DockerClient
) -> None:
    for kind in ("containers/json", "networks"):
        for each in fake.answers[f"GET /{kind}"]:
            each |= {"Names": ["/web", "/isolation/labs-1"], "Name": "web"}
    for each in fake.answers["GET /volumes"]["Volumes"]:
        each["Name"] = "data-of-isolation-labs-1"

    cleanup.remove_all_of(client, OURS)

    assert removed(fake) == [f"/images/isolation-labs/base:{OURS}"]


def test_a_container_that_has_the_label_of_its_image_is_left(
    fake: FakeEngine, client: docker.DockerClient
) -> None:
    """As one of an image that somebody has committed from a container of the labs."""
    fake.answers["GET /images/sha256:1/json"] = {"Config": {"Labels": {LABEL: str(OURS)}}}

    cleanup.remove_all_of(client, OURS)

    assert "/containers/ours-container" not in removed(fake)


def test_a_container_whose_image_is_gone_is_removed_all_the_same(
    fake: FakeEngine, client: docker.DockerClient
) -> None:
    fake.answers["GET /images/sha256:1/json"] = (404, "No such image: sha256:1")

    cleanup.remove_all_of(client, OURS)

    assert "/containers/ours-container" in removed(fake)


@pytest.mark.parametrize(
    "answer",
    [
        (404, "No such container: ours-container"),
        (409, "removal of container ours-container is already in progress"),
    ],
)
def test_what_another_removes_at_the_same_moment_is_as_good_as_removed(
    fake: FakeEngine, client: docker.DockerClient, answer: tuple[int, str]
) -> None:
    fake.answers["DELETE /containers/ours-container"] = answer

    cleanup.remove_all_of(client, OURS)

    assert removed(fake) == everything_of("ours", OURS)


def test_what_can_not_be_removed_is_an_error(fake: FakeEngine, client: docker.DockerClient) -> None:
    fake.answers["DELETE /volumes/isolation-labs-ours"] = (409, "volume is in use")

    with pytest.raises(APIError, match="volume is in use"):
        cleanup.remove_all_of(client, OURS)


def test_what_is_in_somebody_s_use_keeps_nothing_else(
    fake: FakeEngine, client: docker.DockerClient
) -> None:
    """As a network to which somebody has connected a container: then no run could begin any more."""
    fake.answers["DELETE /networks/dead-network"] = (403, "network has active endpoints")
    fake.answers["DELETE /networks/ours-network"] = (403, "network has active endpoints")

    assert cleanup.sweep(client) == 3
    assert removed(fake) == everything_of("dead", DEAD)
    fake.asked.clear()
    with pytest.raises(APIError, match="network has active endpoints"):
        cleanup.remove_all_of(client, OURS)
    assert removed(fake) == everything_of("ours", OURS)


def test_an_engine_without_anything_is_left_as_it_is(
    fake: FakeEngine, client: docker.DockerClient
) -> None:
    for kind in ("containers/json", "networks", "images/json"):
        fake.answers[f"GET /{kind}"] = []
    fake.answers["GET /volumes"] = {"Volumes": None}

    assert cleanup.sweep(client) == 0
    assert removed(fake) == []


def test_podman_has_containers_killed_first_and_those_that_depend_on_others_removed_first(
    fake: FakeEngine, client: docker.DockerClient
) -> None:
    """Its force asks a container to end and waits; and it keeps what another shares a namespace of."""
    fake.answers["GET /version"] = {"Components": [{"Name": "Podman Engine", "Version": "5.8"}]}
    fake.answers["GET /containers/json"] = [
        {
            "Id": name,
            "Names": [f"/isolation-labs-{name}"],
            "ImageID": "sha256:1",
            "Labels": {LABEL: str(OURS)},
        }
        for name in ("lender", "sharer")
    ]
    fake.answers["POST /containers/lender/kill"] = ""
    fake.answers["DELETE /containers/lender"] = lambda request: (
        "" if "DELETE /containers/sharer" in fake.asked[:-1] else (500, "has dependent containers")
    )
    fake.answers["DELETE /containers/sharer"] = ""

    cleanup.remove_all_of(client, OURS)

    asked = [each for each in fake.asked if "/lender" in each or "/sharer" in each]
    assert set(asked[:2]) == {"POST /containers/lender/kill", "POST /containers/sharer/kill"}
    assert asked[-1].startswith("DELETE /containers/")
    assert "DELETE /containers/sharer" in asked


def test_what_podman_keeps_for_good_is_told(fake: FakeEngine, client: docker.DockerClient) -> None:
    fake.answers["DELETE /containers/ours-container"] = (500, "it has dependent containers")

    with pytest.raises(APIError, match="dependent containers"):
        cleanup.remove_all_of(client, OURS)


# Labels and names are whatever their makers have written

TEXTS = st.text() | st.sampled_from(
    (str(OURS), str(DEAD), f"{DEAD}.1", f"{DEAD}\n", "*.1.1.1", "00000000.1.4194305.1", "")
)
NAMES = st.text() | st.sampled_from(
    ("/isolation-labs-1-1", "/isolation-labs", "/x/isolation-labs-1")
)


@fuzzed
@given(
    label=TEXTS,
    names=st.none() | st.lists(NAMES, max_size=3),
    of_the_image=st.none() | st.dictionaries(st.just(LABEL) | st.text(), TEXTS, max_size=2),
)
def test_no_label_and_no_name_has_a_container_removed_that_is_not_a_dead_run_s(
    fake: FakeEngine,
    client: docker.DockerClient,
    label: str,
    names: list[str] | None,
    of_the_image: dict[str, str] | None,
) -> None:
    fake.asked.clear()
    for kind in ("networks", "images/json"):
        fake.answers[f"GET /{kind}"] = []
    fake.answers["GET /volumes"] = {"Volumes": []}
    fake.answers["GET /images/sha256:1/json"] = {"Config": {"Labels": of_the_image}}
    fake.answers["GET /containers/json"] = [
        {"Id": "dead-container", "Names": names, "ImageID": "sha256:1", "Labels": {LABEL: label}}
    ]

    cleanup.sweep(client)

    if removed(fake):
        assert label in (str(DEAD), "00000000.1.4194305.1")
        assert any(name.startswith("/isolation-labs-") for name in names or ())
        assert LABEL not in (of_the_image or {})
