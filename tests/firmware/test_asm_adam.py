"""ADAM_F32 in assembly (kernels/arm/adam_loop.S): the same bits as its C twin on ARM, wherever the
loop's ranges end, terms cancel, or nothing moves."""

from __future__ import annotations

from itertools import product

import kernel_calls
import numpy as np
import pytest
from arm_floats import KINDS, canonical, float_bits, floats

USUAL = (0.9, 0.1, 0.999, 0.001, 0.01, 1e-8)
CONSTANTS = {
    "usual": USUAL,
    "short": (0.5, 0.5, 0.75, 0.25, 2.0**-10, 2.0**-20),
    "late": (0.9, 0.1, 0.98, 0.02, 1e-6, 1e-3),
    "largest": (1.9999999, 1.9999999, 1.9999999, 1.9999999, 1.9999999, 1.9999999),
    "smallest": (2.0**-15, 2.0**-15, 2.0**-15, 2.0**-15, 2.0**-24, 2.0**-126),
    "heavy eps": (0.9, 0.1, 0.999, 0.001, 0.01, 1.0),
}
OUTSIDE = {
    "b1": (0, 2.0**-15.5),
    "c1 above": (1, 2.0),
    "b2 is 0": (2, 0.0),
    "c2 below 0": (3, -0.001),
    "alpha below 0": (4, -0.01),
    "alpha": (4, 2.0**-24.5),
    "eps is 0": (5, 0.0),
    "eps": (5, 2.0),
    "eps is denormal": (5, 1e-40),
    "alpha is NaN": (4, np.nan),
}
FIELDS = {"p": (64, 192), "m": (64, 192), "v": (40, 170), "g": (80, 148)}
"""Exponent fields: first of the loop's range, and past it (v, g: that power of two is in it)."""
MAX_N = 64


def spread(rng: np.random.Generator, name: str, low: float, high: float, n: int) -> np.ndarray:
    """Numbers of 2^low..2^high, of both signs but for v."""
    x = np.exp2(rng.uniform(low, high, n)).astype(np.float32)
    return x if name == "v" else x * rng.choice(np.array([-1, 1], np.float32), n)


def training(rng: np.random.Generator, n: int) -> list[np.ndarray]:
    """p, m, v, g as in a training step."""
    ranges = {"p": (-8, 1), "m": (-14, -6), "v": (-30, -12), "g": (-14, -4)}
    return [spread(rng, name, *ends, n) for name, ends in ranges.items()]


def check(arm, arm_plain, moving, values=USUAL, **options) -> None:
    """Same words from the loop and from its twin, strip by strip."""
    for start in range(0, len(moving[0]), MAX_N):
        strip = [x[start : start + MAX_N] for x in moving]
        constants = [np.full(len(strip[0]), value, np.float32) for value in values]
        got = kernel_calls.adam(arm, strip, constants, **options).run()
        want = kernel_calls.adam(arm_plain, strip, constants, **options).run()
        wrong = np.flatnonzero(got != want)[:1]
        at = wrong % len(strip[0])
        assert not wrong.size, [wrong, *(hex(int(x.view(np.uint32)[at][0])) for x in strip)]


@pytest.mark.parametrize("g_last", [0, 1])
@pytest.mark.parametrize("name", CONSTANTS)
def test_training(arm, arm_plain, name, g_last):
    rng = np.random.default_rng(1)
    check(arm, arm_plain, training(rng, 1024), CONSTANTS[name], g_last=g_last)


@pytest.mark.parametrize("g_last", [0, 1])
@pytest.mark.parametrize("name", CONSTANTS)
def test_whole_ranges(arm, arm_plain, name, g_last):
    """Any exponents that the loop takes, and some beside."""
    rng = np.random.default_rng(2)
    ends = {"p": (-66, 67), "m": (-66, 67), "v": (-90, 46), "g": (-50, 24)}
    moving = [spread(rng, one, *ends[one], 1024) for one in ends]
    check(arm, arm_plain, moving, CONSTANTS[name], g_last=g_last)


@pytest.mark.parametrize("g_last", [0, 1])
@pytest.mark.parametrize("name", CONSTANTS)
def test_ends_of_the_ranges(arm, arm_plain, name, g_last):
    """Every combination of the four operands just inside and outside, with extreme fractions."""
    rng = np.random.default_rng(3)
    words = []
    for low, past in FIELDS.values():
        fields = np.array([low - 1, low, past - 1, past], np.uint32) << np.uint32(23)
        words.append(np.concatenate([fields, fields + np.uint32(1), fields | np.uint32(0x7FFFFF)]))
    p, m, v, g = (np.array(x, np.uint32) for x in zip(*product(*words), strict=True))
    chosen = rng.choice(len(p), 3072, replace=False)
    signs = rng.integers(0, 2, (3, len(p)), np.uint32) << np.uint32(31)
    moving = [p | signs[0], m | signs[1], v, g | signs[2]]
    check(arm, arm_plain, [float_bits(x[chosen]) for x in moving], CONSTANTS[name], g_last=g_last)


@pytest.mark.parametrize("name", OUTSIDE)
def test_constants_outside_the_ranges(arm, arm_plain, name):
    at, value = OUTSIDE[name]
    values = [value if i == at else usual for i, usual in enumerate(USUAL)]
    check(arm, arm_plain, training(np.random.default_rng(4), 64), values)


@pytest.mark.parametrize("zeros", ["", *("pmvg"), "mv", "mg", "vg", "mvg", "pmvg"])
def test_zeros(arm, arm_plain, zeros):
    """Of either sign, in some or all operands."""
    rng = np.random.default_rng(5)
    moving = training(rng, 128)
    for name, x in zip("pmvg", moving, strict=True):
        if name in zeros:
            x[:] = rng.choice(np.array([0.0, -0.0], np.float32), len(x))
        else:
            x[rng.random(len(x)) < 0.2] = 0
    check(arm, arm_plain, moving)


def test_moments_cancel(arm, arm_plain):
    """b1*m + c1*g: from one place lost to nothing left."""
    rng = np.random.default_rng(6)
    p, m, v, g = training(rng, 1024)
    places = np.exp2(-rng.integers(0, 27, len(m)).astype(np.float32))
    g = (-9 * m * (1 + places * rng.choice([-1, 1, 0.5], len(m)))).astype(np.float32)
    check(arm, arm_plain, [p, m, v, g])
    check(arm, arm_plain, [p, m, v, -m], CONSTANTS["short"])
    m *= np.float32(2.0**-49)
    check(arm, arm_plain, [p, m, v, (g * np.float32(2.0**-40)).astype(np.float32)])
    check(arm, arm_plain, [p, m, v, -m], CONSTANTS["short"])


def test_moments_cancel_under_a_large_root(arm, arm_plain):
    """What is left of the smallest moments makes a quotient that is denormal or nothing."""
    rng = np.random.default_rng(11)
    p, _, _, g = training(rng, 512)
    g = np.copysign(np.exp2(rng.uniform(-47, -45, len(g))).astype(np.float32), g)
    ulps = rng.integers(-3, 4, len(g)).astype(np.int32)
    m = ((-g * np.float32(2.0**-15)).view(np.int32) + ulps).view(np.float32)
    v = np.exp2(rng.uniform(30, 43, len(g))).astype(np.float32)
    check(arm, arm_plain, [p, m, v, g], (1.0, 2.0**-15, 1.9, 2.0**-15, 2.0**-24, 1.0))


def test_steps_as_large_as_parameters(arm, arm_plain):
    rng = np.random.default_rng(7)
    p, m, v, g = training(rng, 1024)
    p = spread(rng, "p", -24, -2, len(p))
    check(arm, arm_plain, [p, m, v, g])


@pytest.mark.parametrize("decayed", [2.0**-63, 1e-25, 1e-38, 1e-42, 6e-45])
def test_moments_that_decay(arm, arm_plain, decayed):
    """No gradient for long: m is small or denormal, v may be; p stands unless it is tiny itself."""
    rng = np.random.default_rng(8)
    n = 256
    m = spread(rng, "m", -1, 1, n) * np.float32(decayed)
    p, v = spread(rng, "p", -126, 2, n), spread(rng, "v", -140, -10, n)
    p[::3] = spread(rng, "p", -4, 0, len(p[::3]))
    check(arm, arm_plain, [p, m, v, np.zeros(n, np.float32)])
    check(arm, arm_plain, [p, m, v, spread(rng, "g", -149, -60, n)])


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_words(arm, arm_plain, kind):
    rng = np.random.default_rng(9)
    moving = [float_bits(floats(rng, 512, kind)) for _ in range(4)]
    check(arm, arm_plain, moving)
    usual = training(rng, 512)
    for i in range(4):
        check(arm, arm_plain, [*usual[:i], moving[i], *usual[i + 1 :]])


@pytest.mark.parametrize("n", [1, 2, 63, 64])
def test_lengths_and_destinations_that_are_sources(arm, arm_plain, n):
    rng = np.random.default_rng(n)
    check(arm, arm_plain, training(rng, n))
    check(arm, arm_plain, training(rng, n), in_place=True)


def test_numpy(arm):
    """The twin aside: the words of float32 operations rounded one by one."""
    p, m, v, g = training(np.random.default_rng(10), MAX_N)
    b1, c1, b2, c2, alpha, eps = (np.float32(x) for x in USUAL)
    m_new, v_new = b1 * m + c1 * g, b2 * v + c2 * (g * g)
    p_new = p - (alpha * m_new) / (np.sqrt(v_new) + eps)
    constants = [np.full(MAX_N, value, np.float32) for value in USUAL]
    got = kernel_calls.adam(arm, [p, m, v, g], constants).run()
    assert np.array_equal(got, canonical(np.concatenate([p_new, m_new, v_new])))
