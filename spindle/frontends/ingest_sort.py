"""sort: which operands its comparator looks at, and in which order.

In: a raw sort. Out: the Values of its results (docs/spec/module.md). The comparator's order is
found by bodies.py: one, two or three keys, each rising or falling, floats as numbers (-0 equals
+0, NaNs last and equal) or by their bits (IEEE totalOrder).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from spindle.frontends.bodies import PROBES, run_body, total_order
from spindle.frontends.jaxlib_adapter import RawOp
from spindle.frontends.refusal import unsupported
from spindle.frontends.scope import Scope, tensor_type
from spindle.ir.graph import Op, Value

Array = np.ndarray[Any, Any]
Key = tuple[str, bool]

MOST_KEYS = 3
STYLES: tuple[Key, ...] = (("LT", False), ("GT", False), ("LT", True), ("GT", True))
"""(direction, by bits) of a key."""


def sort(scope: Scope, raw: RawOp) -> tuple[Value, ...]:
    """Convert a sort; the order of equal elements stays, whether the program asks or not."""
    operands = scope.operands(raw)
    types = [tensor_type(scope.types[n], f"{raw.name} makes", raw.loc) for n in raw.results]
    keys = _keys(scope, raw, [value.dtype for value in operands])
    if keys is None:
        fix = "compare the first array, or the first two or three in turn, with < or >"
        raise unsupported(raw, "with this comparator is not compiled", fix)
    results = tuple(Value(type_) for type_ in types)
    attrs = {"dim": raw.attrs["dimension"], "keys": keys}
    scope.append(Op("sort", operands, results, attrs, (), raw.loc))
    return results


def _keys(scope: Scope, raw: RawOp, dtypes: list[str]) -> tuple[Key, ...] | None:
    """Return the keys, the first operands of the sort, by which its comparator compares."""
    for count in range(1, min(MOST_KEYS, len(dtypes)) + 1):
        pairs = _probes(dtypes[:count])
        got = [_compared(scope, raw, pairs, dtypes, swap) for swap in (False, True)]
        if got[0] is None or got[1] is None or not np.array_equal(got[0], got[1]):
            continue
        for keys in itertools.product(STYLES, repeat=count):
            wanted = [_before(pairs, keys, plain) for plain in (False, True)]
            if any(np.array_equal(got[0], before) for before in wanted):
                return keys
    return None


def _probes(dtypes: list[str]) -> list[tuple[Array, Array]]:
    """Return arrays (left, right) of every key: all pairs of its probes with all of the others."""
    sides = [PROBES[dtype] for dtype in dtypes for _ in range(2)]
    grid = np.meshgrid(*(np.arange(side.size) for side in sides), indexing="ij")
    values = [side[index.reshape(-1)] for side, index in zip(sides, grid, strict=True)]
    return list(zip(values[::2], values[1::2], strict=True))


def _compared(
    scope: Scope, raw: RawOp, pairs: list[tuple[Array, Array]], dtypes: list[str], swap: bool
) -> Array | None:
    """Run the comparator; operands that are no keys are one less than another, or one more."""
    shape = pairs[0][0].shape
    operands = [side for pair in pairs for side in pair]
    for dtype in dtypes[len(pairs) :]:
        low, high = PROBES[dtype][[0, 1]]
        both = (high, low) if swap else (low, high)
        operands += [np.full(shape, value, PROBES[dtype].dtype) for value in both]
    results = run_body(scope, raw.regions[0], tuple(operands))
    return None if results is None else results[0]


def _before(pairs: list[tuple[Array, Array]], keys: tuple[Key, ...], plain: bool) -> Array:
    """Return whether left comes before right; plain: with IEEE comparisons of floats."""
    before, equal = np.zeros(pairs[0][0].shape, bool), np.ones(pairs[0][0].shape, bool)
    for (left, right), (direction, by_bits) in zip(pairs, keys, strict=True):
        a, b = (side if plain else _rank(side, by_bits) for side in (left, right))
        before |= equal & (a < b if direction == "LT" else a > b)
        equal &= a == b
    return before


def _rank(x: Array, by_bits: bool) -> Array:
    """Return integers in the order of the values."""
    if x.dtype != np.float32:
        return x
    number = np.where(x == 0, np.float32(0), np.where(np.isnan(x), np.float32(np.nan), x))
    return total_order(x if by_bits else number)
