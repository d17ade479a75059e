"""Linked ARM programs, built once: the firmware's kernels as shipped, and their plain C twins."""

from __future__ import annotations

from pathlib import Path

import pytest
from arm_program import ArmProgram, TimedProgram, firmware_objects


@pytest.fixture(scope="session")
def arm_objects(tmp_path_factory) -> list[Path]:
    """Objects of the kernels with their assembly."""
    return firmware_objects(tmp_path_factory.mktemp("arm"), plain=False)


@pytest.fixture(scope="session")
def arm(arm_objects) -> ArmProgram:
    """Kernels with their assembly."""
    return ArmProgram(arm_objects)


@pytest.fixture(scope="session")
def arm_timed(arm_objects) -> TimedProgram:
    """The same, where cycles are counted."""
    return TimedProgram(arm_objects)


@pytest.fixture(scope="session")
def arm_plain(tmp_path_factory) -> ArmProgram:
    """Kernels in C only (soft float is assembly in both)."""
    return ArmProgram(firmware_objects(tmp_path_factory.mktemp("plain"), plain=True))
