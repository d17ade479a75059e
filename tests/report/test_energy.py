"""Joules from published constants."""

from __future__ import annotations

import pytest

from spindle.report.energy import SOURCES, energy
from spindle.spec.costs import POWER


def test_parts() -> None:
    joules = energy(seconds=2.0, busy_core_s=10.0, packets=1_000_000)
    assert joules.chips_j == pytest.approx(0.7)
    assert joules.cores_j == pytest.approx(0.34)
    assert joules.packets_j == pytest.approx(0.001)
    assert joules.total_j == pytest.approx(1.041)


def test_chips_multiply_what_is_always_on() -> None:
    assert energy(1.0, 0.0, 0, chips=48).total_j == pytest.approx(48 * 0.35)


def test_every_constant_names_its_source() -> None:
    named = [name for name in vars(POWER) if name.endswith("_source")]
    assert len(named) == len(SOURCES)
    for name in named:
        source = getattr(POWER, name)
        assert source and any(line.endswith(source) for line in SOURCES)
