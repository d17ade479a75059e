"""canonical_reduce: give every reduce contiguous axes and a constant init.

In: a Module. Out: the Module in which a reduce's dims are neighbours (a transpose in front moves
them last, in their order, so the order of the sum stays) and its init is a constant: a computed
init is combined afterwards, as docs/numerics.md 4 does it. A reduce of nothing is its init.
"""

from __future__ import annotations

from spindle.ir.graph import Module, Op, TensorType, Value
from spindle.ir.kinds import neutral
from spindle.ir.rewrite import Builder, rebuild_module
from spindle.options import Options


def canonical_reduce(module: Module, options: Options) -> Module:
    """Rewrite the reduces of every region. Needs nothing of the options."""
    return rebuild_module(module, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "reduce" or not op.attrs["dims"]:
        return None
    source, init = op.operands
    if 0 in source.shape:
        return (_everywhere(builder, op),)
    maker = builder.defs.get(init)
    computed = maker is None or maker.kind != "constant"
    if _contiguous(op.attrs["dims"]) and not computed:
        return None
    start = init
    if computed:
        start = builder.splat(neutral(op.attrs["reducer"], init.dtype), init.type, op.loc)
    moved, dims = _moved_last(builder, source, op)
    attrs = {**op.attrs, "dims": dims}
    total = builder.emit("reduce", (moved, start), op.result.type, attrs, op.loc)
    return (_combined(builder, op, total) if computed else total,)


def _contiguous(dims: tuple[int, ...]) -> bool:
    return dims == tuple(range(dims[0], dims[0] + len(dims)))


def _moved_last(builder: Builder, source: Value, op: Op) -> tuple[Value, tuple[int, ...]]:
    """Return the operand with its reduced axes last, and these axes."""
    dims, rank = op.attrs["dims"], len(source.shape)
    if _contiguous(dims):
        return source, dims
    order = (*(axis for axis in range(rank) if axis not in dims), *dims)
    shape = tuple(source.shape[axis] for axis in order)
    attrs = {"permutation": order}
    moved = builder.emit("transpose", (source,), TensorType(shape, source.dtype), attrs, op.loc)
    return moved, tuple(range(rank - len(dims), rank))


def _everywhere(builder: Builder, op: Op) -> Value:
    """The reduce's init over its result's shape."""
    init = op.operands[1]
    return builder.emit("broadcast_in_dim", (init,), op.result.type, {"dims": ()}, op.loc)


def _combined(builder: Builder, op: Op, total: Value) -> Value:
    init = _everywhere(builder, op)
    return builder.emit(op.attrs["reducer"], (init, total), op.result.type, loc=op.loc)
