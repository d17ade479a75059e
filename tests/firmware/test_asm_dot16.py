"""13- and 16-bit dots in assembly: the same bits as their C twins on ARM, and as NumPy."""

from __future__ import annotations

import kernel_calls
import numpy as np
import pytest
from arm_floats import KINDS, float_bits, floats

from spindle.spec.tables import EMPTY_EXPONENT, NONFINITE_FLAG

LARGEST = {13: 4095, 16: 32767}
BITS = pytest.mark.parametrize("bits", LARGEST)


def both(arm, arm_plain, build):
    """Result of the assembly after comparing it with the C twin."""
    fast, plain = build(arm).run(), build(arm_plain).run()
    np.testing.assert_array_equal(fast, plain)
    return fast


def products(a: np.ndarray, b: np.ndarray, bits: int) -> np.ndarray:
    """Exact sums of products [M, N] of rows a[M][K], b[N][K]."""
    wide = a[:, None].astype(np.int64) * b[None].astype(np.int64)
    return (wide >> (7 if bits == 16 else 0)).sum(axis=2)


def blocks(sums: np.ndarray) -> np.ndarray:
    """[3][N] as 3x3 blocks, flat."""
    return sums.reshape(3, -1, 3).transpose(1, 0, 2).ravel()


def mantissas(rng: np.random.Generator, shape: tuple[int, int], bits: int) -> np.ndarray:
    return rng.integers(-LARGEST[bits], LARGEST[bits] + 1, shape, np.int32)


@BITS
@pytest.mark.parametrize("columns", [1, 2, 5])
@pytest.mark.parametrize("chunks", [1, 2, 3, 4, 5, 7, 8, 9, 16])
def test_sums_of_products(arm, arm_plain, columns, chunks, bits):
    rng = np.random.default_rng(chunks)
    a = mantissas(rng, (3, 8 * chunks), bits)
    b = mantissas(rng, (3 * columns, 8 * chunks), bits)
    a[0], b[0] = LARGEST[bits], -LARGEST[bits]
    want = blocks(products(a, b, bits))
    got = both(arm, arm_plain, lambda p: kernel_calls.triple_sums(p, bits, a, b))
    np.testing.assert_array_equal(got.view(np.int32), want)
    start = rng.integers(-(1 << 31), 1 << 31, (columns, 9)).astype(np.int32)
    got = both(arm, arm_plain, lambda p: kernel_calls.triple_sums(p, bits, a, b, start))
    np.testing.assert_array_equal(got.view(np.int32), (want + start.ravel()).astype(np.int32))


@BITS
@pytest.mark.parametrize("above", [-1, 0, 1])
def test_sums_tell_when_they_leave_int32(arm, arm_plain, bits, above):
    """The sum ends at 2^31 - 1 + above; the other eight stay small."""
    a, b = np.ones((3, 8), np.int32), np.ones((3, 8), np.int32)
    a[1], b[2] = LARGEST[bits], LARGEST[bits]
    whole = products(a, b, bits)
    start = np.zeros((3, 3), np.int64)
    start[1, 2] = (1 << 31) - 1 + above - whole[1, 2]
    for program in (arm, arm_plain):
        call = kernel_calls.triple_sums(program, bits, a, b, start.astype(np.int32).reshape(1, 9))
        told = program.call(call.name, *call.arguments)
        assert (told != 0) == (above > 0)
        sums = program.read(call.out, 9, "int32")
        np.testing.assert_array_equal(sums, (whole + start).ravel().astype(np.int32))


def finish_case(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Sums of every length in bits, with halves; exponents from underflow to overflow."""
    rng = np.random.default_rng(seed)
    sums = rng.integers(-(1 << 31), 1 << 31, 200) >> rng.integers(0, 32, 200)
    sums[:4] = -(1 << 31), (1 << 31) - 1, 0, -1
    exponents = rng.integers(-170, 120, 200)
    exponents[7] = EMPTY_EXPONENT
    return sums, exponents, int(rng.integers(-60, 60)) - 22


@pytest.mark.parametrize("n", [1, 2, 3, 4, 200])
@pytest.mark.parametrize("seed", range(4))
def test_finish(arm, arm_plain, seed, n):
    sums, exponents, exponent = (x if isinstance(x, int) else x[:n] for x in finish_case(seed))
    high = np.random.default_rng(seed).integers(-(1 << 20), 1 << 20, n)
    for above in (None, high, np.zeros(n, int)):
        got = both(
            arm,
            arm_plain,
            lambda p, h=above: kernel_calls.finish_16(p, sums, exponents, exponent, h),
        )
        whole = sums + (0 if above is None else above << 32)
        scale = np.clip(exponents + exponent, -20000, 20000)
        with np.errstate(all="ignore"):
            want = np.ldexp(whole.astype(np.longdouble), scale).astype(np.float32)
        np.testing.assert_array_equal(got, want.view(np.uint32))


@BITS
@pytest.mark.parametrize("k", [8, 64, 72, 264])
def test_dot_of_a_tile(arm, arm_plain, k, bits):
    rng = np.random.default_rng(k)
    a, b = mantissas(rng, (7, k), bits), mantissas(rng, (11, k), bits)
    a[:2], b[:2] = LARGEST[bits], LARGEST[bits]
    e = rng.integers(-90, 60, 18)
    got = both(arm, arm_plain, lambda p: kernel_calls.dot_16(p, bits, a, b, e))
    sums = products(a, b, bits) + (k // 2 if bits == 16 else 0)
    scale = e[:7, None] + e[7:] - (21 if bits == 16 else 22)
    with np.errstate(all="ignore"):
        want = np.ldexp(sums.astype(np.longdouble), scale).astype(np.float32)
    np.testing.assert_array_equal(got, want.view(np.uint32).ravel())


PANELS = pytest.mark.parametrize(
    ("bits", "wide"), [(13, False), (16, False), (16, True)], ids=["s13", "s16", "wide"]
)


def words_of(x: np.ndarray) -> np.ndarray:
    counts = np.isfinite(x) & (x != 0)
    e = np.where(counts, np.frexp(np.where(counts, x, 1))[1] - 1, EMPTY_EXPONENT)
    words = (e.max(axis=1).astype(np.int64) & 0xFFFF).astype(np.uint32)
    return words | np.where(np.isfinite(x).all(axis=1), 0, NONFINITE_FLAG).astype(np.uint32)


def panel_of(x: np.ndarray, words: np.ndarray, bits: int, wide: bool) -> np.ndarray:
    e = words.astype(np.uint16).view(np.int16).astype(np.int32)
    places = np.where(e == EMPTY_EXPONENT, 0, bits - 2 - e)
    finite = np.where(np.isfinite(x), x, 0).astype(np.float64)
    q = np.rint(np.ldexp(finite, places[:, None]))
    full = np.zeros((len(x), -(-x.shape[1] // 8) * 8), np.int32)
    full[:, : x.shape[1]] = np.clip(q, -LARGEST[bits], LARGEST[bits])
    return kernel_calls.triples(full, wide=wide).ravel().view(np.uint32)


def check_quantise(arm, arm_plain, x, bits, wide, across, given=None):
    how = {"across": across, "wide": wide, "given": given}
    words = words_of(x) if given is None else given
    got = both(arm, arm_plain, lambda p: kernel_calls.quantise_16(p, x, bits, out=2, **how))
    np.testing.assert_array_equal(got, words)
    got = both(arm, arm_plain, lambda p: kernel_calls.quantise_16(p, x, bits, out=1, **how))
    np.testing.assert_array_equal(got, panel_of(x, words, bits, wide))


def matrix(kind: str, rows: int, k: int) -> np.ndarray:
    rng = np.random.default_rng(100 * rows + k)
    x = float_bits(floats(rng, rows * k, kind)).reshape(rows, k).copy()
    x[0, k // 2] = 0
    return x


@PANELS
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_quantise(arm, arm_plain, kind, across, bits, wide):
    for rows, k in ((1, 1), (2, 2), (3, 7), (4, 8), (5, 9), (7, 64), (9, 130)):
        x = matrix(kind, rows, k)
        with np.errstate(all="ignore"):
            check_quantise(arm, arm_plain, x, bits, wide, across)
            above = np.random.default_rng(k).integers(0, 30, rows)
            found = words_of(x)
        given = ((found + above) & 0xFFFF | found & NONFINITE_FLAG).astype(np.uint32)
        check_quantise(arm, arm_plain, x, bits, wide, across, given)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_words_of_a_scan(arm, arm_plain, kind, across):
    for rows, k in ((1, 1), (6, 6), (7, 8), (48, 33)):
        x = matrix(kind, rows, k)
        got = both(arm, arm_plain, lambda p, x=x: kernel_calls.scan_words(p, x, across=across))
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(got, words_of(x))


@PANELS
def test_quantise_ties_clamps_and_far_exponents(arm, arm_plain, bits, wide):
    halves = np.arange(1, 513, dtype=np.float32) / 2
    rows = [np.concatenate([np.float32([2.0**j]), halves]) for j in range(8, 17)]
    x = np.stack(rows) * np.where(np.arange(9) % 2, -1, 1)[:, None].astype(np.float32)
    x[:, 1] = np.nextafter(2 * x[:, 0], np.float32(0))
    check_quantise(arm, arm_plain, x, bits, wide, False)
    for e in (-149, -127, -112, -111, -110, 94, 95, 96, 127):
        y = np.ldexp(x / 65536, e).astype(np.float32)
        y[2] = 0
        with np.errstate(all="ignore"):
            check_quantise(arm, arm_plain, y, bits, wide, True)
