"""What engines say of an image: those of API 1.52 and later leave out what is empty."""

from __future__ import annotations

from typing import Any

import docker
import pytest

from fixtures.engine.answer import said_at
from fixtures.engine.container import ApiRead
from fixtures.engine.stored_image import Image
from tests.fake_engine import FakeEngine

ID = "sha256:" + 64 * "a"
LAYER = "sha256:" + 64 * "b"
SAID = {"Id": ID, "RepoTags": ["app:latest"], "RootFS": {"Type": "layers", "Layers": [LAYER]}}


@pytest.mark.parametrize(
    "config", [{"Cmd": None, "Env": ["A=b"], "Labels": None}, {"Env": ["A=b"]}]
)
def test_an_image_that_was_imported_has_no_command(
    fake: FakeEngine, client: docker.DockerClient, config: dict[str, Any]
) -> None:
    fake.answers["GET /images/app/json"] = SAID | {"Config": config}

    image = Image(client, "app")

    assert (image.config.get("Cmd"), image.config["Env"]) == (None, ["A=b"])
    assert image.layers == [LAYER]


@pytest.mark.parametrize("left_out", [{"Config": None, "RootFS": {"Type": "layers"}}, {}])
def test_an_image_may_have_neither_layers_nor_a_config_nor_a_name(
    fake: FakeEngine, client: docker.DockerClient, announced: list[object], left_out: dict[str, Any]
) -> None:
    fake.answers["GET /images/app/json"] = fake.answers[f"GET /images/{ID}/json"] = {
        "Id": ID
    } | left_out

    image = Image(client, "app")

    assert (image.layers, image.config, image.tags) == ([], {}, [])
    assert ApiRead("docker image inspect Config app", "null") in announced


def test_what_an_answer_does_not_say_is_none() -> None:
    state = {"State": {"Status": "running", "Health": None, "Pid": 0}}

    asked = ("State.Status", "State.Pid", "State.Health.Status", "State.Error", "Config.Cmd")

    assert [said_at(state, path) for path in asked] == ["running", 0, None, None, None]
