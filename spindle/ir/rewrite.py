"""Helpers by which every pass makes a new Region from an old one.

In: a Region and a visit function. Out: a new Region; ops that do not change are shared with the
old one, results keep their identity unless a visit replaces them. Regions are closed: an op uses
only the parameters and earlier results of its own region.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spindle.ir.graph import DTYPES, Module, Op, Region, TensorType, Value

Array = np.ndarray[Any, Any]


class Builder:
    """The ops of a region under construction, who made each value, and what replaced what."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.defs: dict[Value, Op] = {}
        self._replaced: dict[Value, Value] = {}

    def get(self, value: Value) -> Value:
        """Return what stands for `value` now."""
        while value in self._replaced:
            value = self._replaced[value]
        return value

    def add(self, op: Op) -> None:
        """Append an op whose operands are already new."""
        self.ops.append(op)
        self.defs.update(dict.fromkeys(op.results, op))

    def replace(self, old: Sequence[Value], new: Sequence[Value]) -> None:
        """Let every later use of old[i] be new[i]."""
        self._replaced.update((a, b) for a, b in zip(old, new, strict=True) if a is not b)

    def emit(
        self,
        kind: str,
        operands: Sequence[Value],
        type_: TensorType,
        attrs: Mapping[str, Any] | None = None,
        loc: str = "",
    ) -> Value:
        """Append a new op with one result of `type_`; return the result."""
        op = Op(kind, tuple(operands), (Value(type_),), dict(attrs or {}), loc=loc)
        self.add(op)
        return op.result

    def splat(self, value: Any, type_: TensorType, loc: str = "") -> Value:
        """Append a constant with one value everywhere."""
        return self.emit("constant", (), type_, {"value": splat_array(value, type_)}, loc)

    def reshape(self, value: Value, shape: tuple[int, ...], loc: str = "") -> Value:
        """Return `value` in another shape; no op where the shape is the same."""
        if value.shape == shape:
            return value
        return self.emit("reshape", (value,), TensorType(shape, value.dtype), loc=loc)


Visit = Callable[[Builder, Op], "tuple[Value, ...] | None"]
"""Gets an op with new operands; returns what replaces its results, or None to keep the op."""


def rebuild(region: Region, visit: Visit) -> Region:
    """Return the region with every op given to `visit`, inner regions first."""
    builder = Builder()
    for old in region.ops:
        op = _renewed(builder, old, visit)
        new = visit(builder, op)
        if new is None:
            builder.add(op)
        else:
            builder.replace(op.results, new)
    returns = tuple(builder.get(value) for value in region.returns)
    return Region(region.params, tuple(builder.ops), returns)


def _renewed(builder: Builder, op: Op, visit: Visit) -> Op:
    operands = tuple(builder.get(value) for value in op.operands)
    regions = tuple(rebuild(inner, visit) for inner in op.regions)
    if operands == op.operands and not regions:
        return op
    return replace(op, operands=operands, regions=regions)


def rebuild_module(module: Module, visit: Visit) -> Module:
    """Return the Module with every op of every region given to `visit`."""
    return replace(module, body=rebuild(module.body, visit))


def use_counts(region: Region) -> Counter[Value]:
    """Count the uses of each value as operand and as returned value of this region."""
    counts = Counter(value for op in region.ops for value in op.operands)
    counts.update(region.returns)
    return counts


def users(region: Region) -> dict[Value, list[Op]]:
    """Return {value: the ops that use it, each once, in order}."""
    table: dict[Value, list[Op]] = {}
    for op in region.ops:
        for value in dict.fromkeys(op.operands):
            table.setdefault(value, []).append(op)
    return table


def drop_dead(region: Region) -> Region:
    """Return the region without ops whose results nobody uses (every op is pure)."""
    alive = set(region.returns)
    kept: list[Op] = []
    for op in reversed(region.ops):
        if alive.isdisjoint(op.results):
            continue
        regions = tuple(drop_dead(inner) for inner in op.regions)
        kept.append(replace(op, regions=regions) if regions else op)
        alive.update(op.operands)
    return Region(region.params, tuple(reversed(kept)), region.returns)


def splat_array(value: Any, type_: TensorType) -> Array:
    """Return a read-only array of the type's shape that holds one element in memory."""
    return np.broadcast_to(np.asarray(value, DTYPES[type_.dtype]), type_.shape)


def splat_value(op: Op | None) -> Any:
    """Return the one element of a constant op that is the same everywhere, else None.

    The element is a 0-d array of the constant's NumPy type; equal means equal bits.
    """
    if op is None or op.kind != "constant" or op.attrs["value"].size == 0:
        return None
    array: Array = op.attrs["value"]
    first = array[(0,) * array.ndim]
    moving = [s for s, n in zip(array.strides, array.shape, strict=True) if n > 1 and s != 0]
    if moving and not _same_bits(array, np.broadcast_to(first, array.shape)):
        return None
    return np.asarray(first)


def _same_bits(a: Array, b: Array) -> bool:
    bits = f"u{a.dtype.itemsize}"
    a, b = np.ascontiguousarray(a).view(bits), np.ascontiguousarray(b).view(bits)
    return bool(np.array_equal(a, b))
