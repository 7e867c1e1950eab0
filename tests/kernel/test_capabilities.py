from __future__ import annotations

from fixtures.kernel.capabilities import NAMES, CapabilitySet

# CapEff of a process in a container that Docker started without options.
DOCKER = 0x00000000A80425FB


def test_a_mask_is_a_set_of_names() -> None:
    assert set(CapabilitySet.of_mask(0b1)) == {"CHOWN"}
    assert set(CapabilitySet.of_mask(1 << 21 | 1 << 40)) == {"SYS_ADMIN", "CHECKPOINT_RESTORE"}


def test_dockers_default_set_has_fourteen_capabilities_and_sys_admin_is_none_of_them() -> None:
    granted = CapabilitySet.of_mask(DOCKER)

    assert (len(granted), "NET_RAW" in granted, "SYS_ADMIN" in granted) == (14, True, False)


def test_no_bit_is_no_capability() -> None:
    assert set(CapabilitySet.of_mask(0)) == set()


def test_a_bit_that_is_newer_than_this_list_is_called_by_its_number() -> None:
    assert set(CapabilitySet.of_mask(1 << len(NAMES))) == {"CAP_41"}


def test_a_set_prints_as_its_names() -> None:
    assert repr(CapabilitySet.of_mask(0b100001)) == "{CHOWN KILL}"
