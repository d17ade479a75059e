"""Soft float in assembly (hal/spinnaker/sf_*): bit for bit IEEE, every NaN 0x7fc00000."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from arm_floats import KINDS, SPECIAL, canonical, float_bits, floats

from spindle.kernels_host.build import FIRMWARE

BINARY = {"sf_add": np.add, "sf_sub": np.subtract, "sf_mul": np.multiply, "sf_div": np.divide}
PER_KINDS = 3000
"""Pairs per operation and pair of kinds: 49 pairs of kinds, 147,000 in all."""


def check_binary(arm, name: str, a: np.ndarray, b: np.ndarray) -> None:
    arm.reset()
    pairs, out = arm.place(np.stack([a, b], 1)), arm.reserve(4 * len(a))
    arm.call("drive_2", arm.symbols[name], pairs, out, len(a))
    with np.errstate(all="ignore"):
        want = canonical(BINARY[name](float_bits(a), float_bits(b)))
    wrong = np.flatnonzero(arm.read(out, len(a)) != want)[:3]
    assert not wrong.size, [(hex(a[i]), hex(b[i]), hex(want[i])) for i in wrong]


def check_sqrt(arm, a: np.ndarray) -> None:
    arm.reset()
    place, out = arm.place(a), arm.reserve(4 * len(a))
    arm.call("drive_1", arm.symbols["sf_sqrt"], place, out, len(a))
    with np.errstate(all="ignore"):
        want = canonical(np.sqrt(float_bits(a)))
    wrong = np.flatnonzero(arm.read(out, len(a)) != want)[:3]
    assert not wrong.size, [(hex(a[i]), hex(want[i])) for i in wrong]


def random_pairs(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    kinds = [(first, second) for first in KINDS for second in KINDS]
    a = [floats(rng, count, first) for first, _ in kinds]
    b = [floats(rng, count, second) for _, second in kinds]
    return np.concatenate(a), np.concatenate(b)


@pytest.mark.parametrize("name", BINARY)
def test_random_pairs(arm, name):
    check_binary(arm, name, *random_pairs(1, PER_KINDS))


@pytest.mark.parametrize("name", BINARY)
def test_special_pairs(arm, name):
    values = np.concatenate([SPECIAL, SPECIAL | np.uint32(1 << 31)])
    a, b = np.meshgrid(values, values)
    check_binary(arm, name, a.ravel(), b.ravel())


@pytest.mark.parametrize("name", ["sf_add", "sf_sub"])
def test_every_distance_of_exponents(arm, name):
    """Halves, sticky bits and cancellation at each shift, up to the edge of the smallest."""
    rng = np.random.default_rng(3)
    ends = np.array([0, 1, 2, 0x3FFFFF, 0x400000, 0x400001, 0x7FFFFE, 0x7FFFFF], np.uint32)
    a, b, big, down = (
        x.ravel() for x in np.meshgrid(ends, ends, (40, 52, 127, 253, 254), range(40))
    )
    sign = rng.integers(0, 2, (2, len(a)), np.uint32) << np.uint32(31)
    first = sign[0] | big.astype(np.uint32) << np.uint32(23) | a
    second = sign[1] | (big - down).astype(np.uint32) << np.uint32(23) | b
    check_binary(arm, name, first, second)
    check_binary(arm, name, second, first)


def test_sqrt(arm):
    rng = np.random.default_rng(4)
    check_sqrt(arm, np.concatenate([floats(rng, 20000, kind) for kind in KINDS]))
    check_sqrt(arm, np.concatenate([SPECIAL, SPECIAL | np.uint32(1 << 31)]))
    squares = np.arange(1, 1 << 12, dtype=np.float32) ** 2
    words = squares.view(np.uint32)
    check_sqrt(arm, np.concatenate([words - np.uint32(1), words, words + np.uint32(1)]))


def seeds(label: str) -> np.ndarray:
    """The 128 bytes behind a label of sf_div_sqrt.S."""
    text = (FIRMWARE / "hal" / "spinnaker" / "sf_div_sqrt.S").read_text()
    rows = re.findall(r"\.byte\s+(.*)", text.split(f".L{label}_seed:")[1])[:8]
    return np.array([int(word) for row in rows for word in row.split(",")], np.int64)


def test_seeds():
    middles = [(128 + i + 0.5) / 128 for i in range(128)]
    assert seeds("div").tolist() == [min(255, round(256 / d)) for d in middles]
    roots = [(1 + (i % 64 + 0.5) / 64) * (1 if i >= 64 else 2) for i in range(128)]
    assert seeds("sqrt").tolist() == [min(255, round(256 / math.sqrt(m))) for m in roots]


def test_reciprocal_of_every_divisor():
    """sf_div's x2 is 2^54/d from below by less than 32: n/d's estimate is at most one too small."""
    d = np.arange(1 << 23, 1 << 24, dtype=np.int64)
    x0 = seeds("div")[(d >> 16) - 128]
    half = ((1 << 31) - x0 * d) >> 1
    assert np.abs(x0 * half).max() < 1 << 31
    x1 = (x0 << 8) + (x0 * half >> 22)
    error = (1 << 39) - x1 * d
    assert np.abs(error).max() < 1 << 31
    x2 = (x1 << 15) + (error * (x1 << 8) >> 32)
    assert (x2 * d <= 1 << 54).all()
    assert ((x2 + 32) * d > 1 << 54).all()


@pytest.mark.parametrize("odd", [0, 1])
def test_root_of_every_significand(odd):
    """sf_sqrt's estimate is the floor of the root or one less, for every significand."""
    fraction = np.arange(1 << 23, 1 << 24, dtype=np.int64)
    m = fraction << (1 - odd)
    y0 = seeds("sqrt")[odd << 6 | (fraction >> 17) & 63]
    three = (3 << 30) - y0 * y0 * ((m >> 9) + 1)
    assert three.min() > 0 and three.max() < 1 << 32
    y1 = (y0 << 9) * three >> 32
    k = (m << 7) * (y1 << 1) >> 32
    rest = (m << 7) - k * k
    assert np.abs(rest).max() < 1 << 31
    root = (k << 9) + (rest * (y1 << 9) >> 32)
    assert (root * root <= m << 25).all()
    assert ((root + 2) ** 2 > m << 25).all()


@pytest.mark.long
@pytest.mark.parametrize("name", BINARY)
def test_ten_million_pairs(arm, name):
    for seed in range(10, 17):
        check_binary(arm, name, *random_pairs(seed, 30000))
