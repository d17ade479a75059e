"""Kernel functions in assembly: the same bits as their C twins on ARM, and as NumPy."""

from __future__ import annotations

import kernel_calls
import numpy as np
import pytest
from arm_floats import KINDS, canonical, floats, float_bits

LENGTHS = (1, 2, 3, 7, 8, 9, 31, 63, 64)


def f32_max(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    larger = np.where((a > b) | ((a == b) & ~np.signbit(a)), a, b)
    return np.where(np.isnan(a) | np.isnan(b), np.float32(np.nan), larger)


def f32_min(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return -f32_max(-a, -b)


FLOAT_PRIMS = {
    "prim_add_f32": np.add,
    "prim_sub_f32": np.subtract,
    "prim_mul_f32": np.multiply,
    "prim_max_f32": f32_max,
    "prim_min_f32": f32_min,
}
COMPARISONS = {
    "prim_eq_f32": np.equal,
    "prim_ne_f32": np.not_equal,
    "prim_lt_f32": np.less,
    "prim_le_f32": np.less_equal,
}


def both(arm, arm_plain, build):
    """Result of the assembly after comparing it with the C twin."""
    fast, plain = build(arm).run(), build(arm_plain).run()
    np.testing.assert_array_equal(fast, plain)
    return fast


def operands(seed: int, n: int, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [floats(rng, n, KINDS[(seed + i) % len(KINDS)]) for i in range(count)]


@pytest.mark.parametrize("name", FLOAT_PRIMS)
def test_arithmetic(arm, arm_plain, name):
    for seed in range(25):
        a, b = operands(seed, 64, 2) if seed % 2 else [operands(seed, 64, 1)[0]] * 2
        got = both(arm, arm_plain, lambda p, a=a, b=b: kernel_calls.prim(p, name, (a, b)))
        with np.errstate(all="ignore"):
            want = FLOAT_PRIMS[name](float_bits(a), float_bits(b))
        np.testing.assert_array_equal(got, canonical(want))


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons(arm, arm_plain, name):
    for seed in range(25):
        a, b = operands(seed, 64, 2)
        b = np.where(np.arange(64) % 3 == 0, a, b)
        got = both(arm, arm_plain, lambda p, a=a, b=b: kernel_calls.prim(p, name, (a, b)))
        np.testing.assert_array_equal(got, COMPARISONS[name](float_bits(a), float_bits(b)))


@pytest.mark.parametrize("name", [*FLOAT_PRIMS, *COMPARISONS, "prim_copy"])
def test_every_length_and_nothing_behind(arm, arm_plain, name):
    for n in LENGTHS:
        sources = operands(n, 64, 1 if name == "prim_copy" else 2)
        both(arm, arm_plain, lambda p, n=n, s=sources: kernel_calls.prim(p, name, s, n=n))
        call = kernel_calls.prim(arm, name, sources, n=n)
        arm.uc.mem_write(call.out + 4 * n, b"\xa5" * 4)
        call.run()
        assert arm.read(call.out + 4 * n, 1)[0] == 0xA5A5A5A5


@pytest.mark.parametrize("n", LENGTHS)
def test_moves(arm, arm_plain, n):
    a, b, pred = operands(n, 64, 3)
    pred = np.where(np.arange(64) % 3 == 0, 0, pred)

    def run(name: str, sources: tuple[np.ndarray, ...], imm: int = 0) -> np.ndarray:
        return both(arm, arm_plain, lambda p: kernel_calls.prim(p, name, sources, imm=imm, n=n))

    np.testing.assert_array_equal(run("prim_copy", (a,)), a[:n])
    np.testing.assert_array_equal(run("prim_splat", (a,), 0x7FC12345), [0x7FC12345] * n)
    np.testing.assert_array_equal(run("prim_bcast", (a,)), [a[0]] * n)
    want = np.where(pred != 0, a, b)[:n]
    np.testing.assert_array_equal(run("prim_select", (pred, a, b)), want)


def test_fold_keeps_the_order(arm, arm_plain):
    for seed, n in enumerate((0, 1, 2, 255, 256)):
        x = operands(0, 256, 1)[0]
        first = int(x[seed])
        results = []
        for program in (arm, arm_plain):
            program.reset()
            results.append(program.call("fold_add_f32", first, program.place(x), n))
        want = float_bits(np.array([first], np.uint32))[0]
        for value in float_bits(x[:n]):
            want = np.float32(want + value)
        assert results == [int(canonical(np.array([want]))[0])] * 2


def test_merge(arm, arm_plain):
    for n in LENGTHS:
        acc, x = operands(n, n, 2)
        got = both(arm, arm_plain, lambda p, acc=acc, x=x: kernel_calls.merge(p, acc, x))
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(got, canonical(float_bits(acc) + float_bits(x)))


@pytest.mark.parametrize("columns", [2, 4, 10])
@pytest.mark.parametrize("chunks", [1, 2, 3, 4, 5, 7, 8, 9, 64])
def test_sums_of_products(arm, arm_plain, columns, chunks):
    rng = np.random.default_rng(chunks)
    limit = 1 << 27
    a = rng.integers(1 - limit, limit, (2, chunks * 8), np.int32)
    b = rng.integers(1 - limit, limit, (columns, chunks * 8), np.int32)
    a[0], b[0] = limit - 1, limit - 1
    start = rng.integers(-(1 << 40), 1 << 40, (2, columns), np.int64)
    want = (start + a.astype(np.int64) @ b.T.astype(np.int64)).ravel()
    for program in (arm, arm_plain):
        got = kernel_calls.dot_sums(program, a, b, start).run("int64")
        np.testing.assert_array_equal(got, want)
