"""A volume: labelled, by its name in an option, and there until it is removed."""

from __future__ import annotations

import pytest
from docker.errors import APIError

from fixtures.engine import Engine
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.ownership import LABEL
from tests.traces import nothing_is_left

pytestmark = pytest.mark.engine


def test_a_volume_is_the_run_s_and_goes_when_it_is_removed_and_once_is_enough(
    engine: Engine,
) -> None:
    with nothing_is_left(engine.client):
        first, second = engine.make_volume(), engine.make_volume()

        assert first.name != second.name
        made = engine.client.volumes.get(str(first))
        assert made.attrs["Labels"] == {LABEL: str(engine.owner)}

        second.remove()
        first.remove()
        first.remove()


def test_a_container_has_it_by_its_name_and_keeps_it_from_being_removed(engine: Engine) -> None:
    with nothing_is_left(engine.client):
        volume = engine.make_volume()
        container = engine.start(merged(DEFAULTS, {"volumes": [f"{volume}:/data"]}))

        container.write("/data/note", "in the volume")

        assert container.init.mounts.at("/data").root.endswith(f"/{volume.name}/_data")
        assert volume.mountpoint.endswith(f"/{volume.name}/_data")
        with pytest.raises(APIError, match="volume is in use"):
            volume.remove()
        container.remove()
        volume.remove()
