"""integer_dot: write dots of integers as products over (batch, M, N, K) and their sum over K.

In: a Module. Out: the Module without a dot_general of integers: mod 2^n is exact in any order, so
one fusion multiplies and adds; no tensor over all four stands in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from spindle.ir.graph import Module, Op, TensorType, Value
from spindle.ir.rewrite import Builder, rebuild_module
from spindle.options import Options


def integer_dot(module: Module, options: Options) -> Module:
    """Rewrite the integer dots of every region. Needs nothing of the options."""
    return rebuild_module(module, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "dot_general" or op.result.dtype == "f32":
        return None
    batch, contract = op.attrs["lhs_batch"], op.attrs["lhs_contract"]
    lhs, rhs = op.operands
    n_kept = len(op.result.shape)
    space = (*op.result.shape, *(lhs.shape[axis] for axis in contract))
    left = _free(lhs, batch, contract)
    first_right = len(batch) + len(left)
    right = _free(rhs, op.attrs["rhs_batch"], op.attrs["rhs_contract"])
    a = _spread(builder, lhs, (batch, left, contract), len(batch), n_kept, space, op)
    sides = (op.attrs["rhs_batch"], right, op.attrs["rhs_contract"])
    b = _spread(builder, rhs, sides, first_right, n_kept, space, op)
    product = builder.emit("multiply", (a, b), TensorType(space, lhs.dtype), loc=op.loc)
    zero = builder.splat(0, TensorType((), lhs.dtype), op.loc)
    attrs = {"dims": tuple(range(n_kept, len(space))), "reducer": "add"}
    return (builder.emit("reduce", (product, zero), op.result.type, attrs, op.loc),)


def _free(value: Value, batch: Sequence[int], contract: Sequence[int]) -> tuple[int, ...]:
    return tuple(axis for axis in range(len(value.shape)) if axis not in (*batch, *contract))


def _spread(
    builder: Builder,
    value: Value,
    groups: tuple[Sequence[int], Sequence[int], Sequence[int]],
    first_free: int,
    first_contract: int,
    space: tuple[int, ...],
    op: Op,
) -> Value:
    """Broadcast an operand over the space: its batch, free and contracted axes in their places."""
    place: dict[int, int] = {}
    for axes, first in zip(groups, (0, first_free, first_contract), strict=True):
        place |= {axis: first + i for i, axis in enumerate(axes)}
    dims = tuple(place[axis] for axis in range(len(value.shape)))
    type_ = TensorType(space, value.dtype)
    return builder.emit("broadcast_in_dim", (value,), type_, {"dims": dims}, op.loc)
