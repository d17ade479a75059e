"""Reductions of the evaluator: the order of docs/numerics.md 4 against a plain Python loop."""

from __future__ import annotations

import numpy as np
import pytest

from spindle.ir.evaluate import evaluate
from spindle.ir.graph import DTYPES, Module, Op, ReduceTree, Region, TensorType, Value

NAMES = {dtype: name for name, dtype in DTYPES.items()}


def run_reduce(x: np.ndarray, init: object, dims: tuple[int, ...], reducer: str, **attrs):
    start = np.array(init, x.dtype)
    params = tuple(Value(TensorType(a.shape, NAMES[a.dtype])) for a in (x, start))
    shape = tuple(n for axis, n in enumerate(x.shape) if axis not in dims)
    out = Value(TensorType(shape, NAMES[x.dtype]))
    op = Op("reduce", params, (out,), {"dims": dims, "reducer": reducer, **attrs})
    return evaluate(Module("r", Region(params, (op,), (out,))), [x, start])[0]


def in_order(values: list, init: np.float32, combine, block: int) -> np.float32:
    level = []
    for first in range(0, len(values), block):
        acc, *rest = values[first : first + block]
        for v in rest:
            acc = combine(acc, v)
        level.append(acc)
    while len(level) > 1:
        pairs = [combine(*level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
        level = pairs + (level[-1:] if len(level) % 2 else [])
    return combine(init, level[0]) if level else init


@pytest.mark.parametrize("n", [0, 1, 2, 255, 256, 257, 512, 513, 769, 1300])
@pytest.mark.parametrize(("reducer", "combine"), [("add", np.add), ("multiply", np.multiply)])
def test_float_order(n, reducer, combine):
    x = (1 + np.random.default_rng(n).standard_normal(n) * 0.1).astype(np.float32)
    got = run_reduce(x, 0.3, (0,), reducer)
    assert got == in_order(list(x), np.float32(0.3), combine, 256)


def test_reduced_axes_are_row_major_and_the_block_comes_from_numerics():
    x = np.random.default_rng(0).standard_normal((5, 3, 7)).astype(np.float32)
    got = run_reduce(x, 0, (0, 2), "add", numerics=ReduceTree(8))
    for j in range(3):
        assert got[j] == in_order(list(x[:, j, :].ravel()), np.float32(0), np.add, 8)


def test_max_and_min_treat_zeros_and_nan_as_elementwise():
    x = np.array([[-0.0, 0.0, -0.0], [1, np.nan, 2], [3, -1, 2]], np.float32)
    high = run_reduce(x, -np.inf, (1,), "maximum").view(np.uint32)
    low = run_reduce(x, np.inf, (1,), "minimum").view(np.uint32)
    assert high.tolist() == [0, 0x7FC00000, np.float32(3).view(np.uint32)]
    assert low.tolist() == [0x80000000, 0x7FC00000, np.float32(-1).view(np.uint32)]


def test_nan_of_a_sum_is_the_one_nan():
    x = np.array([np.inf, -np.inf], np.float32)
    assert run_reduce(x, 0, (0,), "add").view(np.uint32) == 0x7FC00000


def test_integers_and_flags():
    x = np.full(1000, 2**23 + 1, np.int32)
    assert run_reduce(x, 5, (0,), "add") == np.int64(5 + 1000 * (2**23 + 1)).astype(np.int32)
    assert run_reduce(np.array([12, 10], np.uint32), 0, (0,), "or") == 14
    b = np.array([[True, False], [True, True]])
    assert run_reduce(b, True, (1,), "and").tolist() == [False, True]
    assert run_reduce(b, False, (0, 1), "or")
