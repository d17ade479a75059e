"""Cycles of the assembly in the board's interpreter: within budget, as docs/kernels.md says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import kernel_calls
import numpy as np
import pytest
from arm_program import TimedProgram

TABLE = Path(__file__).parents[2] / "docs" / "kernels.md"
N = 64


def gauss(seed: int, scale: float = 1.0, n: int = N) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (scale * rng.standard_normal(n)).astype(np.float32).view(np.uint32)


def function(name: str, n_sources: int) -> Callable[[TimedProgram], float]:
    """Mean cycles from entry to return on N(0,1)."""
    sources = [gauss(i, n=200) for i in range(n_sources)]
    if name == "sf_sqrt":
        sources = [sources[0] & np.uint32(0x7FFFFFFF)]

    def mean(arm: TimedProgram) -> float:
        rows = np.stack(sources, 1).tolist()
        return sum(arm.cycles(name, *row) for row in rows) / len(rows)

    return mean


def strip(name: str, n_sources: int) -> Callable[[TimedProgram], float]:
    """Cycles per element of a strip of N(0,1), call included."""
    sources = [gauss(i) for i in range(n_sources)]
    return lambda arm: kernel_calls.prim(arm, name, sources).cycles() / N


def adam(arm: TimedProgram) -> float:
    moving = [gauss(0), gauss(1, 0.1), gauss(2, 0.01) & np.uint32(0x7FFFFFFF), gauss(3, 0.1)]
    values = (0.9, 0.1, 0.999, 0.001, 0.01, 1e-8)
    constants = [np.full(N, value, np.float32) for value in values]
    return kernel_calls.adam(arm, moving, constants).cycles() / N


def fold(arm: TimedProgram) -> float:
    arm.reset()
    x = gauss(5, n=256)
    return arm.cycles("fold_add_f32", int(x[0]), arm.place(x[1:]), 255) / 255


def merge(arm: TimedProgram) -> float:
    return kernel_calls.merge(arm, gauss(6), gauss(7)).cycles() / N


def dot(k: int, columns: int = 16) -> Callable[[TimedProgram], float]:
    """Cycles per MAC of a pair of rows against 16 columns, sums stored."""
    rng = np.random.default_rng(k)
    a = rng.integers(-(1 << 26), 1 << 26, (2, k), np.int32)
    b = rng.integers(-(1 << 26), 1 << 26, (columns, k), np.int32)
    start = np.zeros((2, columns), np.int64)
    return lambda arm: (
        kernel_calls.dot_sums(arm, a, b, start, fresh=True).cycles() / (2 * columns * k)
    )


def matrix(rows: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """N(0,1) and balancing exponents of a few places."""
    d = np.random.default_rng(k).integers(-2, 3, k).astype(np.int32)
    return gauss(rows, n=rows * k).reshape(rows, k), d


def quantise(rows: int, k: int, *, across: bool) -> Callable[[TimedProgram], float]:
    """Cycles per element of a QUANTISE tile, everything included."""
    x, d = matrix(rows, k)

    def measure(arm: TimedProgram) -> float:
        return kernel_calls.quantise(arm, x, d, 0, across=across, out=2).cycles() / x.size

    return measure


def scan(rows: int, k: int, *, across: bool) -> Callable[[TimedProgram], float]:
    """Cycles per element of a SCAN tile, everything included."""
    x, _ = matrix(rows, k)
    return lambda arm: kernel_calls.scan(arm, x, across=across).cycles() / x.size


def finish(*, first: bool) -> Callable[[TimedProgram], float]:
    """Cycles per output at the end of a K-block: stored, or added to what is there."""
    rng = np.random.default_rng(8)
    sums, exponents = rng.integers(-(1 << 60), 1 << 60, N), rng.integers(-3, 3, N)
    c = None if first else gauss(9, 100.0)
    return lambda arm: kernel_calls.dot_finish(arm, sums, exponents, -52, c).cycles() / N


def dot_tile(side: int, k: int) -> Callable[[TimedProgram], float]:
    """Cycles per MAC of a whole DOT_S28 tile, one K-block, C written."""
    rng = np.random.default_rng(side)
    a, b = rng.integers(-(1 << 26), 1 << 26, (2, side, k), np.int32)
    e = rng.integers(-3, 3, 2 * side)
    return lambda arm: kernel_calls.dot(arm, a, b, e).cycles() / (side * side * k)


def mantissas_16(bits: int, rows: int, k: int) -> np.ndarray:
    largest = (1 << (bits - 1)) - 1
    return np.random.default_rng(rows * k).integers(-largest, largest + 1, (rows, k), np.int32)


def dot_16(bits: int, k: int, columns: int = 48) -> Callable[[TimedProgram], float]:
    """Cycles per MAC of a triple of rows against 48 columns, sums stored."""
    a, b = mantissas_16(bits, 3, k), mantissas_16(bits, columns, k)
    return lambda arm: kernel_calls.triple_sums(arm, bits, a, b).cycles() / (3 * columns * k)


def dot_16_tile(bits: int, side: int, k: int) -> Callable[[TimedProgram], float]:
    """Cycles per MAC of a whole tile with all of k, C written."""
    a, b = mantissas_16(bits, side, k), mantissas_16(bits, side + 1, k)[:side]
    e = np.random.default_rng(side).integers(-3, 3, 2 * side)
    return lambda arm: kernel_calls.dot_16(arm, bits, a, b, e).cycles() / (side * side * k)


def finish_16(*, high: bool) -> Callable[[TimedProgram], float]:
    """Cycles per output of 48 columns, sums of some 25 bits."""
    rng = np.random.default_rng(8)
    sums = (rng.standard_normal(48) * (1 << 24)).astype(np.int64)
    above = rng.integers(-9, 9, 48) if high else None
    e = rng.integers(-3, 3, 48)
    return lambda arm: kernel_calls.finish_16(arm, sums, e, -22, above).cycles() / 48


def quantise_16(
    bits: int, rows: int, *, across: bool, wide: bool = False
) -> Callable[[TimedProgram], float]:
    """Cycles per element of a tile of K = 128, everything included."""
    x, _ = matrix(rows, 128)

    def measure(arm: TimedProgram) -> float:
        call = kernel_calls.quantise_16(arm, x, bits, across=across, wide=wide, out=1)
        return call.cycles() / x.size

    return measure


# what, measure, budget, reference figure (reference sheet or the older model), unit
ROWS: tuple[tuple[str, Callable[[TimedProgram], float], float, str], ...] = (
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
    ("ADAM_F32", adam, 300, "650"),
    ("RED_ADD_F32, columns", fold, 52, "57"),
    ("RED_ADD_F32, rows", merge, 52, "57"),
    ("DOT_S28 MAC, K = 32", dot(32), 4.2, "4.32"),
    ("DOT_S28 MAC, K = 64", dot(64), 4.0, "4.16"),
    ("DOT_S28 MAC, K = 128", dot(128), 3.9, "4.08"),
    ("DOT_S28 MAC, K = 512", dot(512), 3.8, "4.00"),
    ("DOT_S28 tile 48 x 48, K = 64, per MAC", dot_tile(48, 64), 4.6, "4.55"),
    ("DOT_S28 tile 32 x 32, K = 128, per MAC", dot_tile(32, 128), 4.3, "4.55"),
    ("DOT_S28 first K-block, output", finish(first=True), 32, "62"),
    ("DOT_S28 later K-block, output", finish(first=False), 72, "62"),
    ("DOT_S13 MAC, K = 32", dot_16(13, 32), 1.6, "1.493"),
    ("DOT_S13 MAC, K = 64", dot_16(13, 64), 1.5, "1.413"),
    ("DOT_S13 MAC, K = 128", dot_16(13, 128), 1.4, "1.373"),
    ("DOT_S13 MAC, K = 512", dot_16(13, 512, 24), 1.38, "1.333"),
    ("DOT_S16 MAC, K = 32", dot_16(16, 32), 1.75, "1.66"),
    ("DOT_S16 MAC, K = 64", dot_16(16, 64), 1.65, "1.58"),
    ("DOT_S16 MAC, K = 128", dot_16(16, 128), 1.6, "1.54"),
    ("DOT_S16 MAC, K = 512", dot_16(16, 512, 24), 1.6, "1.50"),
    ("DOT_S13 tile 33 x 33, K = 128, per MAC", dot_16_tile(13, 33, 128), 1.7, "1.57"),
    ("DOT_S13 tile 48 x 48, K = 64, per MAC", dot_16_tile(13, 48, 64), 1.9, "1.57"),
    ("DOT_S16 tile 33 x 33, K = 128, per MAC", dot_16_tile(16, 33, 128), 1.9, "1.81"),
    ("DOT_S16 tile 48 x 48, K = 64, per MAC", dot_16_tile(16, 48, 64), 2.1, "1.81"),
    ("DOT_S13 finish, output", finish_16(high=False), 24, "13.3"),
    ("DOT_S13 finish, output beyond int32", finish_16(high=True), 110, "94"),
    ("QUANTISE_13 48 x 128, [f][k]", quantise_16(13, 48, across=False), 20, "20"),
    ("QUANTISE_13 48 x 128, [k][f]", quantise_16(13, 48, across=True), 20, "20"),
    ("QUANTISE_13 47 x 128, [k][f]", quantise_16(13, 47, across=True), 20, "20"),
    ("QUANTISE_16 48 x 128, [f][k]", quantise_16(16, 48, across=False), 20, "20"),
    ("QUANTISE_16 48 x 128, wide", quantise_16(16, 48, across=False, wide=True), 21, "21.4"),
    ("SCAN 48 x 128, [f][k]", scan(48, 128, across=False), 11, "9"),
    ("SCAN 48 x 128, [k][f]", scan(48, 128, across=True), 11, "9"),
    ("QUANTISE 48 x 128, [f][k]", quantise(48, 128, across=False), 28, "17.9"),
    ("QUANTISE 48 x 128, [k][f]", quantise(48, 128, across=True), 28, "17.9"),
)


@pytest.fixture(scope="module")
def recorded() -> dict[str, str]:
    """Second column of the table in docs/kernels.md."""
    lines = re.findall(r"^\| ([^|]+?) \| ([0-9.]+) \| ([^|]+?) \|$", TABLE.read_text(), re.M)
    return {what: f"{cycles} {reference}" for what, cycles, reference in lines}


@pytest.mark.parametrize(
    ("what", "measure", "budget", "reference"), ROWS, ids=[row[0] for row in ROWS]
)
def test_cycles(arm_timed, recorded, what, measure, budget, reference):
    cycles = measure(arm_timed)
    print(f"\n| {what} | {cycles:.2f} | {reference} |")
    assert cycles <= budget
    assert recorded.get(what) == f"{cycles:.2f} {reference}", "docs/kernels.md is not up to date"
