"""Cycles of the assembly on the ARM9E-S model: within budget, and as docs/kernels.md says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import arm_cycles
import kernel_calls
import numpy as np
import pytest
from arm_program import ArmProgram

TABLE = Path(__file__).parents[2] / "docs" / "kernels.md"
N = 64


def gauss(seed: int, scale: float = 1.0, n: int = N) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (scale * rng.standard_normal(n)).astype(np.float32).view(np.uint32)


def function(name: str, n_sources: int) -> Callable[[ArmProgram], float]:
    """Mean cycles from entry to return on N(0,1)."""
    sources = [gauss(i, n=200) for i in range(n_sources)]
    if name == "sf_sqrt":
        sources = [sources[0] & np.uint32(0x7FFFFFFF)]

    def mean(arm: ArmProgram) -> float:
        rows = np.stack(sources, 1).tolist()
        return sum(arm_cycles.count(arm.trace(name, *row)) for row in rows) / len(rows)

    return mean


def strip(name: str, n_sources: int) -> Callable[[ArmProgram], float]:
    """Cycles per element of a strip of N(0,1), call included."""
    sources = [gauss(i) for i in range(n_sources)]
    return lambda arm: kernel_calls.prim(arm, name, sources).cycles() / N


def adam(arm: ArmProgram) -> float:
    moving = [gauss(0), gauss(1, 0.1), gauss(2, 0.01) & np.uint32(0x7FFFFFFF), gauss(3, 0.1)]
    values = (0.9, 0.1, 0.999, 0.001, 0.01, 1e-8)
    constants = [np.full(N, value, np.float32) for value in values]
    return kernel_calls.adam(arm, moving, constants).cycles() / N


def fold(arm: ArmProgram) -> float:
    arm.reset()
    x = gauss(5, n=256)
    return arm_cycles.count(arm.trace("fold_add_f32", int(x[0]), arm.place(x[1:]), 255)) / 255


def merge(arm: ArmProgram) -> float:
    return kernel_calls.merge(arm, gauss(6), gauss(7)).cycles() / N


def dot(k: int, columns: int = 32) -> Callable[[ArmProgram], float]:
    """Cycles per MAC of a pair of rows against 32 columns, sums loaded and stored."""
    rng = np.random.default_rng(k)
    a = rng.integers(-(1 << 26), 1 << 26, (2, k), np.int32)
    b = rng.integers(-(1 << 26), 1 << 26, (columns, k), np.int32)
    start = np.zeros((2, columns), np.int64)
    return lambda arm: kernel_calls.dot_sums(arm, a, b, start).cycles() / (2 * columns * k)


# what, measure, budget, reference figure (reference sheet or the older model), unit
ROWS: tuple[tuple[str, Callable[[ArmProgram], float], float, str], ...] = (
    ("sf_add", function("sf_add", 2), 45, "52"),
    ("sf_sub", function("sf_sub", 2), 45, "52"),
    ("sf_mul", function("sf_mul", 2), 32, "32"),
    ("sf_div", function("sf_div", 2), 120, "127"),
    ("sf_sqrt", function("sf_sqrt", 1), 90, "80"),
    ("ADD_F32", strip("prim_add_f32", 2), 55, "59"),
    ("SUB_F32", strip("prim_sub_f32", 2), 55, "59"),
    ("MUL_F32", strip("prim_mul_f32", 2), 36, "39"),
    ("DIV_F32", strip("prim_div_f32", 2), 134, "134"),
    ("MAX_F32", strip("prim_max_f32", 2), 16, "12"),
    ("MIN_F32", strip("prim_min_f32", 2), 16, "12"),
    ("EQ_F32", strip("prim_eq_f32", 2), 12, "9"),
    ("NE_F32", strip("prim_ne_f32", 2), 12, "9"),
    ("LT_F32", strip("prim_lt_f32", 2), 20, "11"),
    ("LE_F32", strip("prim_le_f32", 2), 20, "11"),
    ("COPY", strip("prim_copy", 1), 3, "2.3"),
    ("SPLAT", strip("prim_splat", 1), 2.2, "1.1"),
    ("SELECT", strip("prim_select", 3), 9, "6"),
    ("ADAM_F32", adam, 600, "650"),
    ("RED_ADD_F32, columns", fold, 52, "57"),
    ("RED_ADD_F32, rows", merge, 52, "57"),
    ("DOT_S28 MAC, K = 32", dot(32), 4.4, "4.32"),
    ("DOT_S28 MAC, K = 64", dot(64), 4.25, "4.16"),
    ("DOT_S28 MAC, K = 128", dot(128), 4.2, "4.08"),
    ("DOT_S28 MAC, K = 512", dot(512), 4.15, "4.00"),
)


@pytest.fixture(scope="module")
def recorded() -> dict[str, str]:
    """Second column of the table in docs/kernels.md."""
    lines = re.findall(r"^\| ([^|]+?) \| ([0-9.]+) \| ([^|]+?) \|$", TABLE.read_text(), re.M)
    return {what: f"{cycles} {reference}" for what, cycles, reference in lines}


@pytest.mark.parametrize(("what", "measure", "budget", "reference"), ROWS, ids=lambda x: str(x))
def test_cycles(arm, recorded, what, measure, budget, reference):
    cycles = measure(arm)
    print(f"\n| {what} | {cycles:.2f} | {reference} |")
    assert cycles <= budget
    assert recorded.get(what) == f"{cycles:.2f} {reference}", "docs/kernels.md is not up to date"
