"""argmax and argmin: a reduce of values and their numbers becomes a reduce and an arg_reduce.

In: a raw reduce of two operands. Out: the Values of its two results (docs/spec/module.md). Which
operand is the number, and which way the body chooses, is found by bodies.py.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from spindle.frontends.bodies import PROBES, run_body
from spindle.frontends.jaxlib_adapter import RawOp
from spindle.frontends.refusal import unsupported
from spindle.frontends.scope import Scope, tensor_type
from spindle.ir.dtypes import INTEGERS
from spindle.ir.graph import TensorType, Value

Array = np.ndarray[Any, Any]

FIX = "use argmax, argmin, or a reduction of one array (sum, prod, max, min, all, any)"


def arg_reduce(scope: Scope, raw: RawOp) -> tuple[Value, ...]:
    """Convert a reduce over values and numbers that counts along the reduced axes."""
    if len(raw.operands) != 4:
        raise unsupported(
            raw, f"over {len(raw.operands) // 2} arrays together is not compiled", FIX
        )
    found = next(filter(None, (_direction(scope, raw, place) for place in (0, 1))), None)
    if found is None:
        raise unsupported(raw, "over 2 arrays with this body is not compiled", FIX)
    reducer, place = found
    operands = scope.operands(raw)
    x, init = operands[place], operands[2 + place]
    number, first = operands[1 - place], operands[3 - place]
    dims = tuple(sorted(raw.attrs["dimensions"]))
    if not _counts(scope, number, dims) or number.dtype != first.dtype:
        raise unsupported(raw, "whose second array does not count the first is not compiled", FIX)
    shape = tensor_type(scope.types[raw.results[0]], f"{raw.name} makes", raw.loc).shape
    attrs = {"dims": dims, "reducer": reducer}
    best = scope.emit(raw, "reduce", (x, init), TensorType(shape, x.dtype), **attrs)
    kept = TensorType(shape, number.dtype)
    at = scope.emit(raw, "arg_reduce", (x, number, init, first), kept, **attrs)
    if number in scope.ranges:
        low, high = zip(scope.ranges[number], scope.ranges[first], strict=True)
        scope.ranges[at] = min(low), max(high)
    return (best, at) if place == 0 else (at, best)


def _direction(scope: Scope, raw: RawOp, place: int) -> tuple[str, int] | None:
    """Return what the body computes with the values at `place`, the numbers at the other one."""
    (region,) = raw.regions
    dtypes = [scope.types[number].dtype for number in raw.operands[:2]]
    if dtypes[place] not in PROBES or dtypes[1 - place] not in INTEGERS:
        return None
    a, i, b, j = _probes(dtypes[place], dtypes[1 - place])
    operands = (a, i, b, j) if place == 0 else (i, a, j, b)
    results = run_body(scope, region, operands)
    if results is None:
        return None
    value, at = results[place], results[1 - place]
    for reducer, ahead in (("maximum", a > b), ("minimum", a < b)):
        left = ahead | (a != a) | ((a == b) & (i < j))
        wanted = np.where(left, a, b), np.where(left, i, j)
        if np.array_equal(at, wanted[1]) and _equal(value, wanted[0]):
            return reducer, place
    return None


def _probes(value: str, number: str) -> tuple[Array, ...]:
    """All pairs of values; the left number is the lower one, as in a fold in order."""
    numbers = np.array([3, 5], PROBES[number].dtype)
    rows = list(itertools.product(PROBES[value], PROBES[value]))
    a, b = (np.array(side, PROBES[value].dtype) for side in zip(*rows, strict=True))
    return a, np.full(a.shape, numbers[0]), b, np.full(b.shape, numbers[1])


def _equal(a: Array, b: Array) -> bool:
    return bool(np.all((a == b) | ((a != a) & (b != b))))


def _counts(scope: Scope, number: Value, dims: tuple[int, ...]) -> bool:
    """Whether `number` grows along the reduced axis: an iota, perhaps spread or reshaped."""
    (dim,) = dims if len(dims) == 1 else (-1,)
    maker = scope.defs.get(number)
    if maker is None or dim < 0:
        return False
    if maker.kind == "constant":
        return bool(np.all(np.diff(maker.attrs["value"].astype(np.int64), axis=dim) > 0))
    if maker.kind == "broadcast_in_dim" and dim in maker.attrs["dims"]:
        return _counts(scope, maker.operands[0], (maker.attrs["dims"].index(dim),))
    if maker.kind == "reshape":
        inner = _same_axis(maker.operands[0].type, number.type, dim)
        return inner is not None and _counts(scope, maker.operands[0], (inner,))
    return bool(maker.kind == "iota" and maker.attrs["dim"] == dim)


def _same_axis(inner: TensorType, outer: TensorType, dim: int) -> int | None:
    """Return the axis of `inner` that a reshape, which adds or drops axes of 1, makes axis dim."""
    long = [axis for axis, n in enumerate(inner.shape) if n != 1]
    place = [axis for axis, n in enumerate(outer.shape) if n != 1]
    same = [inner.shape[i] for i in long] == [outer.shape[i] for i in place]
    return long[place.index(dim)] if same and dim in place else None
