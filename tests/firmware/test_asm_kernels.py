"""Kernel functions in assembly: the same bits as their C twins on ARM, and as NumPy."""

from __future__ import annotations

import kernel_calls
import numpy as np
import pytest
from arm_floats import KINDS, canonical, float_bits, floats

from spindle.ir import evaluate_dot
from spindle.spec.records import PANEL_ROW_WORDS
from spindle.spec.tables import EMPTY_EXPONENT, NONFINITE_FLAG

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


@pytest.mark.parametrize("step", [1, 3])
def test_fold_keeps_the_order(arm, arm_plain, step):
    for seed, n in enumerate((0, 1, 2, 255, 256)):
        apart = operands(0, 256 * step, 1)[0]
        x = apart[::step]
        first = int(x[seed])
        results = []
        for program in (arm, arm_plain):
            program.reset()
            results.append(program.call("fold_add_f32", first, program.place(apart), step, n))
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
    want = (a.astype(np.int64) @ b.T.astype(np.int64)).ravel()
    for program in (arm, arm_plain):
        got = kernel_calls.dot_sums(program, a, b, start, fresh=True).run("int64")
        np.testing.assert_array_equal(got, want)
    half = chunks // 2 * 8  # the second half goes on from the sums of the first
    if half:
        for program in (arm, arm_plain):
            first = kernel_calls.dot_sums(program, a[:, :half], b[:, :half], start, fresh=True)
            sums = first.run("int64").reshape(start.shape)
            rest = kernel_calls.dot_sums(program, a[:, half:], b[:, half:], sums)
            whole = rest.run("int64") + corrections(a[:, half:], b[:, half:])
            np.testing.assert_array_equal(whole, want)


def corrections(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """What a fresh start over these k would have added to each sum."""
    low, high = (kernel_calls.panel_rows(x)[:, 2:].copy().view(np.int64) for x in (a, b))
    return (low + high.T).ravel()


def quantise_case(kind: str, n_f: int, n_k: int, spread: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_f * 1000 + n_k + spread)
    x = floats(rng, n_f * n_k, kind).reshape(n_f, n_k)
    return x, rng.integers(-spread, spread + 1, n_k).astype(np.int32)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_quantise(arm, arm_plain, kind, across):
    shapes = [(2, 8), (4, 64), (3, 16), (5, 24), (1, 8), (2, 7), (6, 13), (2, 512)]
    for (n_f, n_k), spread in zip(shapes, (0, 3, 60, 138, 5, 9, 1, 30), strict=True):
        x, d = quantise_case(kind, n_f, n_k, spread)
        for arg in (0, 1):
            words = [
                both(
                    arm,
                    arm_plain,
                    lambda p, x=x, d=d, arg=arg, out=out: kernel_calls.quantise(
                        p, x, d, arg, across=across, out=out
                    ),
                )
                for out in (2, 3)
            ]
            check_quantised(words, x, -d if arg else d)


def panel_mantissas(panel: np.ndarray, n_f: int) -> np.ndarray:
    """Mantissas [rows, padded k] of a panel, its last row perhaps a missing one."""
    pairs = panel.view(np.int32).reshape(-(-n_f // 2), -1, 2)
    pairs = np.cumsum(pairs, axis=2, dtype=np.int32)
    return pairs.transpose(0, 2, 1).reshape(-(-n_f // 2) * 2, -1)


def check_quantised(words: list[np.ndarray], x: np.ndarray, d: np.ndarray) -> None:
    n_f, n_k = x.shape
    with np.errstate(all="ignore"):
        want = evaluate_dot.quantise(float_bits(x).reshape(1, n_f, n_k), d[None], n_k)
    rows = panel_mantissas(words[0], n_f)
    np.testing.assert_array_equal(rows[:n_f, :n_k], want.q[0])
    assert not rows[n_f:].any() and not rows[:, n_k:].any()
    beside = words[1].reshape(len(rows), -1)
    np.testing.assert_array_equal(beside[:, 1:], kernel_calls.panel_rows(rows)[:, 1:])
    flags = beside[:n_f, 0] & NONFINITE_FLAG != 0
    exponents = beside[:n_f, 0].astype(np.uint16).view(np.int16)
    empty = exponents == EMPTY_EXPONENT
    np.testing.assert_array_equal(np.where(empty, evaluate_dot.EMPTY, exponents), want.e[0][:, 0])
    np.testing.assert_array_equal(flags, want.nonfinite[0])


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_quantise_given(arm, arm_plain, kind, across):
    for n_f, n_k, spread in ((4, 64, 3), (3, 16, 60), (2, 7, 9), (6, 24, 0)):
        x, d = quantise_case(kind, n_f, n_k, spread)
        values = float_bits(x).reshape(1, n_f, n_k)
        with np.errstate(all="ignore"):
            found = evaluate_dot.quantise(values, d[None], n_k)
        e = found.e[0] + np.arange(n_f)[:, None] * 3
        words = (e[:, 0] & 0xFFFF).astype(np.uint32) | found.nonfinite[0] * NONFINITE_FLAG
        panel, kept = (
            both(
                arm,
                arm_plain,
                lambda p, x=x, d=d, words=words, out=out: kernel_calls.quantise(
                    p, x, d, 0, across=across, out=out, given=words.astype(np.uint32)
                ),
            )
            for out in (2, 3)
        )
        rows = panel_mantissas(panel, n_f)[:n_f, :n_k]
        with np.errstate(all="ignore"):
            want = evaluate_dot.mantissas(values, d[None], e[None])
        np.testing.assert_array_equal(rows, want[0])
        np.testing.assert_array_equal(kept.reshape(-1, PANEL_ROW_WORDS)[:n_f, 0], words)


def scan_want(x: np.ndarray) -> np.ndarray:
    """a_k of docs/numerics.md 3, from floats."""
    with np.errstate(invalid="ignore"):
        values = float_bits(x).reshape(x.shape).astype(np.float64)
    counts = np.isfinite(values) & (values != 0)
    e = np.where(counts, np.frexp(np.where(counts, values, 1.0))[1] - 1, EMPTY_EXPONENT)
    relative = np.where(counts, e - e.max(axis=1, keepdims=True), EMPTY_EXPONENT)
    return relative.max(axis=0)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_scan(arm, arm_plain, kind, across):
    for n_f, n_k in ((6, 6), (7, 8), (12, 64), (1, 9), (9, 5), (48, 13)):
        rng = np.random.default_rng(n_f * 100 + n_k)
        x = floats(rng, n_f * n_k, kind).reshape(n_f, n_k)
        x[0, n_k // 2] = 0
        got = both(arm, arm_plain, lambda p, x=x: kernel_calls.scan(p, x, across=across))
        np.testing.assert_array_equal(got.view(np.int32), scan_want(x))


def finish_case(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Sums of every length in bits, with halves; exponents from underflow to overflow."""
    rng = np.random.default_rng(seed)
    length = rng.integers(0, 64, 200)
    sums = rng.integers(-(1 << 62), 1 << 62, 200) >> (63 - length).clip(0, 62)
    halves = rng.integers(-(1 << 25), 1 << 25, 200) << rng.integers(0, 38, 200)
    sums = np.where(np.arange(200) % 3 == 0, halves, sums).astype(np.int64)
    return sums, rng.integers(-170, 120, 200), int(rng.integers(-60, 60)) - 52


@pytest.mark.parametrize("seed", range(6))
def test_finish_of_blocks(arm, arm_plain, seed):
    sums, exponents, exponent = finish_case(seed)
    got = both(
        arm, arm_plain, lambda p: kernel_calls.dot_finish(p, sums, exponents, exponent, None)
    )
    exact = np.ldexp(sums.astype(np.longdouble), exponents + exponent)
    with np.errstate(all="ignore"):
        value = exact.astype(np.float32)
    np.testing.assert_array_equal(got, canonical(value))
    c = operands(seed, 200, 1)[0]
    got = both(arm, arm_plain, lambda p: kernel_calls.dot_finish(p, sums, exponents, exponent, c))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(got, canonical(float_bits(c) + value))


@pytest.mark.parametrize("k", [8, 64, 72])
def test_dot_of_a_tile(arm, arm_plain, k):
    rng = np.random.default_rng(k)
    a = rng.integers(-(1 << 27) + 1, 1 << 27, (6, k), np.int32)
    b = rng.integers(-(1 << 27) + 1, 1 << 27, (10, k), np.int32)
    e = rng.integers(-90, 60, 16)
    got = both(arm, arm_plain, lambda p: kernel_calls.dot(p, a, b, e))
    sums = a.astype(np.int64) @ b.T.astype(np.int64)
    exact = np.ldexp(sums.astype(np.longdouble), e[:6, None] + e[6:] - 52)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(got, canonical(exact.astype(np.float32)).ravel())
