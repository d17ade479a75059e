"""dot_general of the evaluator: against plain Python integers, the float64 bound, and the order."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spindle.ir import evaluate_dot as dots
from spindle.ir.dot_modes import of_mode
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import DotNumerics, Module, Op, Region, TensorType, Value
from spindle.options import Options

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numerics_data as data

BFP28 = DotNumerics("bfp28")


def dot_in(mode: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[M, N] of a [M, K] and b [K, N]."""
    with np.errstate(all="ignore"):
        return dots.dot_rows(a[None], b.T[None], of_mode(mode))[0]


def bfp28(a: np.ndarray, b: np.ndarray, **numerics: object) -> np.ndarray:
    """[M, N] of a [M, K] and b [K, N]."""
    with np.errstate(all="ignore"):
        return dots.dot_rows(a[None], b.T[None], DotNumerics("bfp28", **numerics))[0]


def exponent(x: float) -> int:
    return int(np.frexp(np.float64(x))[1]) - 1


def rne(value: Fraction) -> int:
    return round(value)  # Python rounds halves of Fractions to even


def to_float32(value: Fraction) -> np.float32:
    """Round an exact number once to float32, by integers."""
    if value == 0:
        return np.float32(0)
    e = 0
    while abs(value) >= Fraction(2) ** (e + 1):
        e += 1
    while abs(value) < Fraction(2) ** e:
        e -= 1
    unit = max(e - 23, -149)
    with np.errstate(over="ignore"):
        magnitude = np.float32(np.ldexp(float(rne(abs(value) / Fraction(2) ** unit)), unit))
    return np.copysign(magnitude, np.float32(-1 if value < 0 else 1))


def slow_balance(a: np.ndarray, b: np.ndarray) -> list[int]:
    def usable(x: float) -> bool:
        return bool(np.isfinite(x) and x != 0)

    def peaks(rows: np.ndarray) -> list[int | None]:
        tops = [max((exponent(x) for x in row if usable(x)), default=None) for row in rows]
        columns = []
        for k in range(rows.shape[1]):
            found = [exponent(r[k]) - t for r, t in zip(rows, tops, strict=True) if usable(r[k])]
            columns.append(max(found, default=None))
        return columns

    pairs = zip(peaks(a), peaks(b.T), strict=True)
    return [0 if x is None or y is None else (y - x) // 2 for x, y in pairs]


def slow_quantise(row: np.ndarray, d: list[int]) -> tuple[list[int], int]:
    scaled = [Fraction(0) if not np.isfinite(x) else Fraction(float(x)) for x in row]
    tops = [exponent(x) + s for x, s in zip(row, d, strict=True) if np.isfinite(x) and x != 0]
    if not tops:
        return [0] * len(row), 0
    e, limit = max(tops), 2**27 - 1
    q = [rne(x * Fraction(2) ** (s + 26 - e)) for x, s in zip(scaled, d, strict=True)]
    return [min(max(v, -limit), limit) for v in q], e


def slow_dot(a: np.ndarray, b: np.ndarray, k_block: int) -> np.ndarray:
    """bfp28 of finite operands, one element at a time."""
    d = slow_balance(a, b)
    minus = [-v for v in d]
    out = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for m, n in np.ndindex(*out.shape):
        for start in range(0, a.shape[1], k_block):
            k = slice(start, start + k_block)
            qa, ea = slow_quantise(a[m, k], d[k])
            qb, eb = slow_quantise(b[k, n], minus[k])
            total = sum(x * y for x, y in zip(qa, qb, strict=True))
            value = to_float32(total * Fraction(2) ** (ea + eb - 52))
            with np.errstate(all="ignore"):
                out[m, n] = out[m, n] + value if start else value
    return out


FINITE = [name for name in data.CASES if not name.startswith("nonfinite")]


@pytest.mark.parametrize("name", FINITE)
def test_bits_equal_plain_python_integers(name):
    a, b = data.operands(name, 3, 40, 2)
    got = bfp28(a, b, k_block=16)
    assert (got.view(np.uint32) == dots.canonical(slow_dot(a, b, 16)).view(np.uint32)).all()


def slow_mantissas(row: np.ndarray, bits: int) -> tuple[list[int], int | None]:
    """One exponent for the whole row, None where nothing has one."""
    e = max((exponent(x) for x in row if x != 0), default=None)
    limit = 2 ** (bits - 1) - 1
    unit = Fraction(2) ** (bits - 2 - (e or 0))
    q = [rne(Fraction(float(x)) * unit) for x in row]
    return [min(max(v, -limit), limit) for v in q], e


def slow_whole(a: np.ndarray, b: np.ndarray, mode: str) -> np.ndarray:
    """bfp16 or bfp13 of finite operands, one element at a time."""
    bits, drop = {"bfp16": (16, 7), "bfp13": (13, 0)}[mode]
    out = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for m, n in np.ndindex(*out.shape):
        (qa, ea), (qb, eb) = slow_mantissas(a[m], bits), slow_mantissas(b[:, n], bits)
        total = sum((x * y) // 2**drop for x, y in zip(qa, qb, strict=True))
        total += a.shape[1] // 2 if mode == "bfp16" else 0
        if ea is not None and eb is not None:
            out[m, n] = to_float32(total * Fraction(2) ** (ea + eb - 2 * (bits - 2) + drop))
    return out


@pytest.mark.parametrize("mode", data.WHOLE_MODES)
@pytest.mark.parametrize("name", FINITE)
def test_bits_of_whole_rows_equal_plain_python_integers(name, mode):
    for k in (1, 2, 41):
        a, b = data.operands(name, 3, k, 2)
        got, want = dot_in(mode, a, b), slow_whole(a, b, mode)
        assert (got.view(np.uint32) == want.view(np.uint32)).all()


@pytest.mark.parametrize("mode", data.BFP_MODES)
@pytest.mark.parametrize("use", ["forward", "dx", "dw"])
@pytest.mark.parametrize("name", [name for name in FINITE if name not in ("overflow", "largest")])
def test_error_stays_in_the_bound(name, use, mode):
    for shape in [(12, 600, 10), *data.RAGGED]:
        a, b = data.transposed_uses(*data.operands(name, *shape))[use]
        check_bound(a, b, mode)


def check_bound(a: np.ndarray, b: np.ndarray, mode: str) -> None:
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble)
    assert (np.abs(dot_in(mode, a, b) - exact) <= data.dot_bound(a, b, mode)).all()
    if mode == "bfp28":
        error = np.abs(bfp28(a, b, swapped=True) - exact)
        assert (error <= data.bfp28_bound(a, b, swapped=True)).all()


@pytest.mark.parametrize("mode", data.BFP_MODES)
@pytest.mark.parametrize("k", data.EDGE_K)
def test_largest_mantissas_at_block_edges(k, mode):
    check_bound(*data.operands("all_max", 3, k, 2), mode)


@pytest.mark.parametrize("mode", data.BFP_MODES)
def test_a_long_constant_contraction(mode):
    check_bound(*data.operands("constant", *data.LONG_K), mode)


@pytest.mark.parametrize("mode", data.WHOLE_MODES)
def test_one_large_element_in_a_long_row_of_small_ones(mode):
    """What a product of bfp16 loses counts by the largest elements, whatever the sum of all."""
    for value in (1e-9, 2.0**-7, -(2.0**-7)):
        a, b = np.full((1, 3000), value, np.float32), np.full((3000, 1), 2.0**-9, np.float32)
        a[0, 0], b[1, 0] = 1, 1
        check_bound(a, b, mode)


@pytest.mark.parametrize("mode", data.WHOLE_MODES)
def test_the_order_of_a_whole_row_cannot_be_seen(mode):
    a, b = data.operands("gauss", 5, 700, 4)
    order = np.random.default_rng(0).permutation(700)
    assert (dot_in(mode, a, b) == dot_in(mode, a[:, order], b[order])).all()
    assert (dot_in(mode, a, b) == dot_in(mode, b.T, a.T).T).all()


def nonfinite_meaning(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum of the non-finite terms by float64, 0 where there is none."""
    out = np.zeros((a.shape[0], b.shape[1]))
    with np.errstate(all="ignore"):
        for m, n in np.ndindex(*out.shape):
            terms = a[m].astype(np.float64) * b[:, n]
            out[m, n] = terms[~np.isfinite(a[m]) | ~np.isfinite(b[:, n])].sum()
    return out


@pytest.mark.parametrize("mode", data.BFP_MODES)
@pytest.mark.parametrize("name", [name for name in data.CASES if name.startswith("nonfinite")])
def test_infinities_and_nans_of_the_operands(name, mode):
    a, b = data.operands(name, 6, 600, 5)
    got, expected = dot_in(mode, a, b), nonfinite_meaning(a, b)
    special = ~np.isfinite(expected)
    clean_a, clean_b = np.where(np.isfinite(a), a, 0), np.where(np.isfinite(b), b, 0)
    assert special.any() and not special.all()
    assert (got[special & ~np.isnan(expected)] == expected[special & ~np.isnan(expected)]).all()
    assert (got.view(np.uint32)[np.isnan(expected)] == 0x7FC00000).all()
    same = dot_in(mode, clean_a.astype(np.float32), clean_b.astype(np.float32)) == got
    assert same[~special].all()


def test_overflow_gives_infinity_in_order():
    big = np.float32(3e38)
    a = np.full((1, 1024), big)
    b = np.ones((1024, 2), np.float32)
    b[512:, 1] = -1
    got = bfp28(a, b)
    assert got[0, 0] == np.inf and got.view(np.uint32)[0, 1] == 0x7FC00000


def test_swapped_is_the_transpose_bit_for_bit():
    for name in data.CASES:
        a, b = data.operands(name, 5, 600, 4)
        there, back = bfp28(a, b), bfp28(b.T, a.T, swapped=True)
        assert (there.view(np.uint32) == back.T.view(np.uint32)).all(), name


@pytest.mark.parametrize("mode", data.BFP_MODES)
def test_empty_and_zero_contractions_are_plus_zero(mode):
    for k in (0, 3):
        a, b = np.full((2, k), -0.0, "f4"), np.ones((k, 3), "f4")
        assert (dot_in(mode, a, b).view(np.uint32) == 0).all()


def test_the_empty_float32_dot():
    empty = dots.dot_float32(np.ones((1, 2, 0), "f4"), np.ones((1, 3, 0), "f4"))
    assert empty.shape == (1, 2, 3) and (empty.view(np.uint32) == 0).all()


def test_stages_say_what_they_promise():
    a, b = data.operands("feature_scales", 4, 700, 3)
    d = dots.balance(a[None], b.T[None])
    assert d.shape == (1, 700) and d[0].tolist() == slow_balance(a, b)
    q, e, nonfinite = dots.quantise(a[None], d)
    assert q.dtype == np.int32 and q.shape == (1, 4, 700) and e.shape == (1, 4, 2)
    assert not nonfinite.any() and np.abs(q).max() <= 2**27 - 1


def test_float32_mode_rounds_each_step_in_order():
    a, b = data.operands("gauss", 3, 50, 2)
    got = dots.dot_rows(a[None], b.T[None], DotNumerics("float32"))[0]
    for m, n in np.ndindex(3, 2):
        acc = a[m, 0] * b[0, n]
        for k in range(1, 50):
            acc = np.float32(acc + np.float32(a[m, k] * b[k, n]))
        assert got[m, n] == acc


def run_dot(a: np.ndarray, b: np.ndarray, shape: tuple, options: Options, **attrs) -> np.ndarray:
    dtype = {"f": "f32", "i": "i32"}[a.dtype.kind]
    params = tuple(Value(TensorType(x.shape, dtype)) for x in (a, b))
    out = Value(TensorType(shape, dtype))
    module = Module("dot", Region(params, (Op("dot_general", params, (out,), attrs),), (out,)))
    return evaluate(module, [a, b], options)[0]


AXES = {"lhs_batch": (2,), "rhs_batch": (0,), "lhs_contract": (3, 0), "rhs_contract": (1, 3)}


def test_any_axes_batch_then_lhs_then_rhs():
    rng = np.random.default_rng(0)
    a = rng.integers(-9, 9, (4, 5, 2, 3)).astype(np.int32)
    b = rng.integers(-9, 9, (2, 3, 6, 4)).astype(np.int32)
    expected = np.einsum("xibc,bcjx->bij", a, b)
    exact = run_dot(a, b, (2, 5, 6), Options(), precision="DEFAULT", **AXES)
    assert (exact == expected).all()
    f, g = a.astype(np.float32), b.astype(np.float32)
    assert (run_dot(f, g, (2, 5, 6), Options(), precision="DEFAULT", **AXES) == expected).all()


def test_integer_dots_wrap():
    a, b = np.full((1, 4), 2**30, np.int32), np.full((4, 1), 3, np.int32)
    axes = {"lhs_batch": (), "rhs_batch": (), "lhs_contract": (1,), "rhs_contract": (0,)}
    got = run_dot(a, b, (1, 1), Options(), **axes)
    assert got.tolist() == [[(12 * 2**30 + 2**31) % 2**32 - 2**31]]


@pytest.mark.parametrize(
    ("precision", "matmul", "numerics", "mode"),
    [
        ("DEFAULT", "bfp28", None, "bfp28"),
        ("DEFAULT", "float32", None, "float32"),
        ("HIGHEST", "float32", None, "bfp28"),
        ("DEFAULT", "bfp16", None, "bfp16"),
        ("DEFAULT", "bfp13", None, "bfp13"),
        ("HIGH", "float32", None, "bfp16"),
        ("float32", "bfp28", None, "float32"),
        ("float32", "float32", BFP28, "bfp28"),
    ],
)
def test_who_decides_the_mode(precision, matmul, numerics, mode):
    a, b = data.operands("gauss", 3, 700, 2)
    axes = {"lhs_batch": (), "rhs_batch": (), "lhs_contract": (1,), "rhs_contract": (0,)}
    attrs = {"precision": precision, "numerics": numerics, **axes}
    got = run_dot(a, b, (3, 2), Options(matmul=matmul), **attrs)
    expected = dots.dot_rows(a[None], b.T[None], of_mode(mode))[0]
    assert (got == expected).all()
