"""Linked ARM programs, built once: the firmware's kernels as shipped, and their plain C twins."""

from __future__ import annotations

import pytest
from arm_program import ArmProgram, firmware_objects


@pytest.fixture(scope="session")
def arm(tmp_path_factory) -> ArmProgram:
    """Kernels with their assembly."""
    return ArmProgram(firmware_objects(tmp_path_factory.mktemp("arm"), plain=False))


@pytest.fixture(scope="session")
def arm_plain(tmp_path_factory) -> ArmProgram:
    """Kernels in C only (soft float is assembly in both)."""
    return ArmProgram(firmware_objects(tmp_path_factory.mktemp("plain"), plain=True))
