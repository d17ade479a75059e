"""squeeze: compute without axes of extent 1, and move reshapes behind elementwise ops.

In: a simplified Module. Out: the Module in which elementwise ops, broadcasts, iotas, reduces and
dots (batch and free axes) have no axis of extent 1. The reshapes this leaves (they cost nothing
on the machine) cancel each other in the `simplify` that follows, so that a chain over [64, 1]
and one over [64] can fuse.
"""

from __future__ import annotations

from spindle.ir.graph import Module, Op, TensorType, Value
from spindle.ir.kinds import ELEMENTWISE
from spindle.ir.rewrite import Builder, rebuild_module, splat_value
from spindle.options import Options
from spindle.passes.shapes import squeezed, squeezed_axis


def squeeze(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return rebuild_module(module, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind in ELEMENTWISE:
        value = _elementwise(builder, op)
    elif op.kind in ("iota", "broadcast_in_dim") and 1 in op.result.shape:
        value = _source(builder, op)
    elif op.kind == "reduce" and 1 in op.operands[0].shape:
        value = _reduce(builder, op)
    elif op.kind == "dot_general" and 1 in op.result.shape:
        value = _dot(builder, op)
    else:
        return None
    return None if value is None else (builder.reshape(value, op.result.shape, op.loc),)


def _elementwise(builder: Builder, op: Op) -> Value | None:
    shape = _shape_before(builder, op)
    if shape == op.result.shape:
        return None
    operands = [_reshaped(builder, value, shape, op.loc) for value in op.operands]
    type_ = TensorType(shape, op.result.dtype)
    return builder.emit(op.kind, operands, type_, op.attrs, op.loc)


def _shape_before(builder: Builder, op: Op) -> tuple[int, ...]:
    """Return the shape to compute in: the one all operands were reshaped from, without ones."""
    shapes = set()
    for value in op.operands:
        maker = builder.defs.get(value)
        if maker is not None and maker.kind == "reshape":
            shapes.add(squeezed(maker.operands[0].shape))
        elif splat_value(maker) is None:
            shapes.add(squeezed(value.shape))
    return shapes.pop() if len(shapes) == 1 else squeezed(op.result.shape)


def _reshaped(builder: Builder, value: Value, shape: tuple[int, ...], loc: str) -> Value:
    maker = builder.defs.get(value)
    splat = splat_value(maker)
    if splat is not None:
        return builder.splat(splat, TensorType(shape, value.dtype), loc)
    if maker is not None and maker.kind == "reshape":
        value = maker.operands[0]
    return builder.reshape(value, shape, loc)


def _source(builder: Builder, op: Op) -> Value | None:
    """Make an iota or a broadcast in the squeezed shape."""
    shape = op.result.shape
    type_ = TensorType(squeezed(shape), op.result.dtype)
    dims = (op.attrs["dim"],) if op.kind == "iota" else op.attrs["dims"]
    if any(shape[dim] == 1 for dim in dims):
        return None
    axes = tuple(squeezed_axis(shape, dim) for dim in dims)
    attrs = {"dim": axes[0]} if op.kind == "iota" else {"dims": axes}
    return builder.emit(op.kind, op.operands, type_, attrs, op.loc)


def _reduce(builder: Builder, op: Op) -> Value | None:
    source, init = op.operands
    if any(source.shape[dim] == 1 for dim in op.attrs["dims"]):
        return None
    small = builder.reshape(source, squeezed(source.shape), op.loc)
    dims = tuple(squeezed_axis(source.shape, dim) for dim in op.attrs["dims"])
    type_ = TensorType(squeezed(op.result.shape), op.result.dtype)
    return builder.emit("reduce", (small, init), type_, {**op.attrs, "dims": dims}, op.loc)


def _dot(builder: Builder, op: Op) -> Value:
    attrs, operands = dict(op.attrs), []
    n_batch = len(op.attrs["lhs_batch"])
    long_batch = [i for i in range(n_batch) if op.result.shape[i] != 1]
    for side, value in zip(("lhs", "rhs"), op.operands[:2], strict=True):
        contract = op.attrs[f"{side}_contract"]
        kept = [i for i, n in enumerate(value.shape) if n != 1 or i in contract]
        batch = [op.attrs[f"{side}_batch"][i] for i in long_batch]
        attrs[f"{side}_batch"] = tuple(kept.index(axis) for axis in batch)
        attrs[f"{side}_contract"] = tuple(kept.index(axis) for axis in contract)
        shape = tuple(value.shape[i] for i in kept)
        operands.append(builder.reshape(value, shape, op.loc))
    type_ = TensorType(squeezed(op.result.shape), op.result.dtype)
    return builder.emit(op.kind, (*operands, *op.operands[2:]), type_, attrs, op.loc)
