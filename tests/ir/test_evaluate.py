"""Elementwise kinds, movement and control of the evaluator against NumPy, JAX or plain Python."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spindle.errors import UserError
from spindle.ir import graph
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import Module, Op, Region, TensorType, Value

NAMES = {dtype: name for name, dtype in graph.DTYPES.items()}
CANONICAL = 0x7FC00000
SPECIAL = [
    0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 1e-45, -1e-45, 1e-39, 3.4e38, -3.4e38,
    np.inf, -np.inf, np.nan, 2147483520.0, 2147483648.0, -2147483648.0, -2147483904.0,
    4294967040.0, 4294967296.0, -0.75, 1e10,
]  # fmt: skip
INTS = [0, 1, 2, 3, 7, 31, 32, 33, 2**31 - 1, -1, -2, -7, -32, -(2**31)]


def value_of(array: np.ndarray) -> Value:
    return Value(TensorType(array.shape, NAMES[array.dtype]))


def run(kind: str, out: TensorType, *arrays: np.ndarray, **attrs: object) -> np.ndarray:
    """Evaluate a Module of one op."""
    params = tuple(value_of(a) for a in arrays)
    result = Value(out)
    op = Op(kind, params, (result,), attrs)
    (array,) = evaluate(Module("one", Region(params, (op,), (result,))), arrays)
    return array


def same(kind: str, *arrays: np.ndarray, **attrs: object) -> np.ndarray:
    """Evaluate an op whose result has the type of its last operand."""
    return run(kind, value_of(arrays[-1]).type, *arrays, **attrs)


def pairs(values: list, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    a, b = zip(*itertools.product(values, values), strict=True)
    return np.array(a).astype(dtype), np.array(b).astype(dtype)


def bits(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x).view(np.uint32)


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("add", np.add),
        ("subtract", np.subtract),
        ("multiply", np.multiply),
        ("divide", np.divide),
        ("remainder", np.fmod),
    ],
)
def test_float_arithmetic_is_ieee_with_one_nan(kind, function):
    a, b = pairs(SPECIAL, np.float32)
    with np.errstate(all="ignore"):
        expected = function(a, b)
    got = same(kind, a, b)
    nan = np.isnan(expected)
    assert (bits(got)[nan] == CANONICAL).all()
    assert (bits(got)[~nan] == bits(expected)[~nan]).all()


def test_max_min_order_zeros_and_pass_nan():
    a, b = pairs(SPECIAL, np.float32)
    high, low = same("maximum", a, b), same("minimum", a, b)
    for x, y, most, least in zip(a, b, high, low, strict=True):
        if np.isnan(x) or np.isnan(y):
            assert bits(most) == CANONICAL and bits(least) == CANONICAL
        else:
            ordered = sorted([x, y], key=lambda v: (v, not np.signbit(v)))
            assert bits(least) == bits(ordered[0]) and bits(most) == bits(ordered[1])


def test_negate_and_abs_touch_only_the_sign_bit():
    x = np.array([0x7F800123, 0xFFC00001, 0, 0x80000000, 0x3F800000], np.uint32)
    f = x.view(np.float32)
    assert (bits(same("negate", f)) == x ^ 0x80000000).all()
    assert (bits(same("abs", f)) == x & 0x7FFFFFFF).all()


def test_moves_keep_nan_payloads_and_arithmetic_does_not():
    x = np.array([0x7F800123, 0xFFC00001], np.uint32).view(np.float32)
    pred = np.array([True, False])
    assert (bits(same("select", pred, x, x)) == bits(x)).all()
    for kind in ("sqrt", "floor", "ceil", "sign", "tanh", "exponential"):
        assert (bits(same(kind, x)) == CANONICAL).all()


@pytest.mark.parametrize("kind", ["floor", "ceil", "sqrt"])
def test_rounding_and_sqrt_match_numpy(kind):
    x = np.array(SPECIAL, np.float32)
    with np.errstate(all="ignore"):
        expected = getattr(np, kind)(x)
    got = same(kind, x)
    finite = ~np.isnan(expected)
    assert (bits(got)[finite] == bits(expected)[finite]).all()


def test_sign_keeps_the_sign_of_zero():
    x = np.array([-0.0, 0.0, -3.0, 1e-45], np.float32)
    assert (bits(same("sign", x)) == bits(np.array([-0.0, 0.0, -1.0, 1.0], np.float32))).all()


@pytest.mark.parametrize("dtype", [np.int32, np.uint32])
def test_integer_arithmetic_is_exact_modulo_two_to_the_32(dtype):
    a, b = pairs([i % 2**32 for i in INTS], np.uint32)
    a, b = a.view(dtype), b.view(dtype)
    exact = {
        "add": lambda x, y: x + y,
        "subtract": lambda x, y: x - y,
        "multiply": lambda x, y: x * y,
        "divide": lambda x, y: -1 if y == 0 else (abs(x) // abs(y)) * (1 if x * y >= 0 else -1),
        "remainder": lambda x, y: x if y == 0 else abs(x) % abs(y) * (1 if x >= 0 else -1),
        "shift_left": lambda x, y: x << y if 0 <= y < 32 else 0,
        "shift_right_logical": lambda x, y: (x % 2**32) >> y if 0 <= y < 32 else 0,
        "xor": lambda x, y: x ^ y,
    }
    for kind, function in exact.items():
        got = same(kind, a, b)
        expected = [function(int(x), int(y)) % 2**32 for x, y in zip(a, b, strict=True)]
        assert got.view(np.uint32).tolist() == expected, kind


def test_arithmetic_shift_fills_with_the_sign():
    a, b = pairs(INTS, np.int64)
    got = same("shift_right_arithmetic", a.astype(np.int32), b.astype(np.int32))
    expected = [int(x) >> (int(y) if 0 <= y < 32 else 31) for x, y in zip(a, b, strict=True)]
    assert got.tolist() == expected


def test_integer_power():
    a, b = pairs([0, 1, 2, 3, -1, -2, 7, 13], np.int32)
    got = same("power", a, b)
    for x, y, z in zip(a.tolist(), b.tolist(), got.tolist(), strict=True):
        expected = x**y if y >= 0 else {1: 1, -1: (-1) ** (y % 2)}.get(x, 0)
        assert (expected - z) % 2**32 == 0


def test_not_popcnt_and_is_finite():
    x = np.array(INTS, np.int64).astype(np.int32)
    assert (same("not", x) == ~x).all()
    assert same("popcnt", x).tolist() == [bin(v % 2**32).count("1") for v in x.tolist()]
    f = np.array(SPECIAL, np.float32)
    assert (run("is_finite", TensorType(f.shape, "i1"), f) == np.isfinite(f)).all()
    b = np.array([True, False])
    assert same("not", b).tolist() == [False, True]


def test_compare_is_ieee():
    a, b = pairs(SPECIAL, np.float32)
    directions = {"EQ": a == b, "NE": a != b, "LT": a < b, "LE": a <= b, "GT": a > b, "GE": a >= b}
    for direction, expected in directions.items():
        got = run("compare", TensorType(a.shape, "i1"), a, b, direction=direction)
        assert (got == expected).all()


def test_clamp_is_minimum_of_maximum():
    x = np.array([-5.0, 0.5, 7.0, np.nan], np.float32)
    low, high = np.full_like(x, -1), np.full_like(x, 2)
    got = run("clamp", value_of(x).type, low, x, high)
    assert got[:3].tolist() == [-1.0, 0.5, 2.0] and bits(got)[3] == CANONICAL


def test_float_to_integer_truncates_and_saturates():
    x = np.array(SPECIAL, np.float32)
    for name in ("i32", "ui32"):
        limits = np.iinfo(graph.DTYPES[name])
        got = run("convert", TensorType(x.shape, name), x)
        for source, result in zip(x.tolist(), got.tolist(), strict=True):
            clipped = 0 if source != source else min(max(source, limits.min), limits.max)
            assert result == int(clipped)


def test_other_conversions():
    x = np.array([0, 1, -1, 2**24 + 1, 2**31 - 1], np.int32)
    assert (run("convert", TensorType(x.shape, "f32"), x) == x.astype(np.float32)).all()
    u = run("convert", TensorType(x.shape, "ui32"), x)
    assert (u == x.view(np.uint32)).all()
    f = np.array([0.0, -0.0, 1e-45, np.nan], np.float32)
    b = run("convert", TensorType(f.shape, "i1"), f)
    assert b.tolist() == [False, False, True, True]
    assert run("convert", TensorType(b.shape, "f32"), b).tolist() == [0.0, 0.0, 1.0, 1.0]
    assert (run("bitcast_convert", TensorType(f.shape, "ui32"), f) == bits(f)).all()


def test_movement_matches_numpy():
    x = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    t = run("transpose", TensorType((4, 2, 3), "i32"), x, permutation=(2, 0, 1))
    assert (t == x.transpose(2, 0, 1)).all()
    s = run("slice", TensorType((1, 2, 2), "i32"), x, start=(1, 0, 1), limit=(2, 3, 4),
            strides=(1, 2, 2))  # fmt: skip
    assert (s == x[1:2, 0:3:2, 1:4:2]).all()
    b = run("broadcast_in_dim", TensorType((4, 5, 3), "i32"), x[0, :, :], dims=(2, 0))
    assert (b == np.broadcast_to(x[0].T[:, None, :], (4, 5, 3))).all()
    c = run("concatenate", TensorType((2, 6, 4), "i32"), x, x, dim=1)
    assert (c == np.concatenate([x, x], 1)).all()
    i = run("iota", TensorType((2, 3), "f32"), dim=1)
    assert i.tolist() == [[0.0, 1.0, 2.0]] * 2


@pytest.mark.parametrize(("start", "first"), [(-3, 0), (1, 1), (9, 2)])
def test_dynamic_slices_clamp_their_start(start, first):
    x, at = np.arange(5, dtype=np.float32), np.int32(start).reshape(())
    got = run("dynamic_slice", TensorType((3,), "f32"), x, at, sizes=(3,))
    assert got.tolist() == x[first : first + 3].tolist()
    update = np.full(3, -1, np.float32)
    put = run("dynamic_update_slice", TensorType((5,), "f32"), x, update, at)
    expected = x.copy()
    expected[first : first + 3] = -1
    assert (put == expected).all()


def test_a_huge_unsigned_start_clamps_at_the_top():
    x, at = np.arange(5, dtype=np.float32), np.uint32(2**32 - 1).reshape(())
    assert run("dynamic_slice", TensorType((2,), "f32"), x, at, sizes=(2,)).tolist() == [3.0, 4.0]


def doubling_loop(trip_count: int | None) -> Module:
    """while i < 5: i += 1, x += x; x outside the loop is 3."""
    scalar, flag = TensorType((), "i32"), TensorType((), "i1")
    start, x0 = Value(scalar), Value(scalar)
    one = graph.constant(np.int32(1), "i32")
    limit = graph.constant(np.int32(5), "i32")
    i, x, less = Value(scalar), Value(scalar), Value(flag)
    compare = Op("compare", (i, limit.result), (less,), {"direction": "LT"})
    cond = Region((i, x), (limit, compare), (less,))
    j, y, j2, y2 = (Value(scalar) for _ in range(4))
    step = Op("add", (j, one.result), (j2,))
    body = Region((j, y), (step, Op("add", (y, y), (y2,))), (j2, y2))
    last, out = Value(scalar), Value(scalar)
    loop = Op("while", (start, x0), (last, out), {"trip_count": trip_count}, (cond, body))
    return Module("loop", Region((start, x0), (one, loop), (last, out)))


@pytest.mark.parametrize("trip_count", [5, None])
def test_while_by_count_and_by_condition(trip_count):
    zero, three = np.array(0, np.int32), np.array(3, np.int32)
    assert [int(r) for r in evaluate(doubling_loop(trip_count), [zero, three])] == [5, 96]


def test_wrong_arguments_are_said_in_a_sentence():
    x = np.zeros(3, np.float32)
    p = value_of(x)
    module = Module("m", Region((p,), (), (p,)))
    with pytest.raises(UserError, match=r"argument 0 is float64\[3\], expected f32\[3\]"):
        evaluate(module, [x.astype(np.float64)])
    with pytest.raises(UserError, match="2 arguments were given, the program takes 1"):
        evaluate(module, [x, x])


def test_a_fusion_runs_its_region_on_its_operands():
    x, row = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1, 2, 3], np.float32)
    outer, p = (value_of(x), value_of(row)), (value_of(x), value_of(row))
    wide, product, total = Value(p[0].type), Value(p[0].type), Value(TensorType((2,), "f32"))
    zero = graph.constant(np.float32(0), "f32")
    body = Region(
        p,
        (
            zero,
            Op("broadcast_in_dim", (p[1],), (wide,), {"dims": (1,)}),
            Op("multiply", (p[0], wide), (product,)),
            Op("reduce", (product, zero.result), (total,), {"dims": (1,), "reducer": "add"}),
        ),
        (product, total),
    )
    results = (Value(product.type), Value(total.type))
    fusion = Op("fusion", outer, results, {"space": (2, 3)}, (body,))
    got = evaluate(Module("f", Region(outer, (fusion,), results)), [x, row])
    assert (got[0] == x * row).all() and got[1].tolist() == [8.0, 26.0]
