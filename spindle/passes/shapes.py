"""Shape rules for `simplify`: reshape, broadcast, transpose, iota, slice and reduce over unit axes.

In: an op with new operands and the Builder. Out: a value that equals its result, or None.
The form they lead to: a broadcast_in_dim has sorted dims, an operand without axes of extent 1 and
really repeats elements; a transpose really moves axes; reshapes, iotas and broadcasts are not
stacked; ops on equally broadcast operands run before the broadcast.
"""

from __future__ import annotations

from spindle.ir.graph import Op, TensorType, Value
from spindle.ir.kinds import ELEMENTWISE
from spindle.ir.rewrite import Builder, splat_value

Shape = tuple[int, ...]


def reshaped(builder: Builder, op: Op) -> Value | None:
    """Apply the shape rule of the op's kind."""
    if op.kind in ELEMENTWISE:
        return _before_broadcast(builder, op)
    rule = _RULES.get(op.kind)
    return rule(builder, op) if rule else None


def squeezed(shape: Shape) -> Shape:
    """Return the shape without its axes of extent 1."""
    return tuple(n for n in shape if n != 1)


def squeezed_axis(shape: Shape, axis: int) -> int:
    """Return the place that `axis` (extent not 1) has in `squeezed(shape)`."""
    return sum(n != 1 for n in shape[:axis])


def long_axes(shape: Shape) -> tuple[int, ...]:
    """Return the axes of extent other than 1."""
    return tuple(axis for axis, n in enumerate(shape) if n != 1)


def _reshape(builder: Builder, op: Op) -> Value | None:
    (source,) = op.operands
    if source.shape == op.result.shape:
        return source
    inner = builder.defs.get(source)
    if inner is None:
        return None
    if inner.kind == "reshape":
        return builder.reshape(inner.operands[0], op.result.shape, op.loc)
    if inner.kind not in ("broadcast_in_dim", "iota"):
        return None
    return _respaced(builder, inner, op)


def _respaced(builder: Builder, inner: Op, op: Op) -> Value | None:
    """Make a broadcast or iota in the shape that only drops axes of extent 1."""
    old, new = inner.result.shape, op.result.shape
    if len(new) > len(old) or squeezed(old) != squeezed(new):
        return None
    place = dict(zip(long_axes(old), long_axes(new), strict=True))
    if inner.kind == "broadcast_in_dim" and all(dim in place for dim in inner.attrs["dims"]):
        dims = tuple(place[dim] for dim in inner.attrs["dims"])
        return builder.emit(inner.kind, inner.operands, op.result.type, {"dims": dims}, op.loc)
    if inner.kind == "iota" and inner.attrs["dim"] in place:
        dim = place[inner.attrs["dim"]]
        return builder.emit("iota", (), op.result.type, {"dim": dim}, op.loc)
    return None


def _broadcast(builder: Builder, op: Op) -> Value | None:
    (source,), dims, result = op.operands, op.attrs["dims"], op.result
    if list(dims) != sorted(dims):
        return _sort_dims(builder, op)
    if 1 in source.shape:
        kept = tuple(dims[axis] for axis in long_axes(source.shape))
        small = builder.reshape(source, squeezed(source.shape), op.loc)
        return builder.emit(op.kind, (small,), result.type, {"dims": kept}, op.loc)
    if source.type.size == result.type.size:
        return builder.reshape(source, result.shape, op.loc)
    inner = builder.defs.get(source)
    if inner is not None and inner.kind == "broadcast_in_dim":
        through = tuple(dims[dim] for dim in inner.attrs["dims"])
        return builder.emit(op.kind, inner.operands, result.type, {"dims": through}, op.loc)
    if inner is not None and inner.kind == "iota":
        dim = dims[inner.attrs["dim"]]
        return builder.emit("iota", (), result.type, {"dim": dim}, op.loc)
    return None


def _sort_dims(builder: Builder, op: Op) -> Value:
    (source,), dims = op.operands, op.attrs["dims"]
    order = tuple(sorted(range(len(dims)), key=lambda axis: dims[axis]))
    shape = tuple(source.shape[axis] for axis in order)
    attrs = {"permutation": order}
    turned = builder.emit("transpose", (source,), TensorType(shape, source.dtype), attrs, op.loc)
    sorted_dims = {"dims": tuple(sorted(dims))}
    return builder.emit(op.kind, (turned,), op.result.type, sorted_dims, op.loc)


def _transpose(builder: Builder, op: Op) -> Value | None:
    (source,), order = op.operands, op.attrs["permutation"]
    moved = [axis for axis in order if source.shape[axis] != 1]
    if moved == sorted(moved):
        return builder.reshape(source, op.result.shape, op.loc)
    inner = builder.defs.get(source)
    if inner is None:
        return None
    if inner.kind == "transpose":
        both = tuple(inner.attrs["permutation"][axis] for axis in order)
        attrs = {"permutation": both}
        return builder.emit("transpose", inner.operands, op.result.type, attrs, op.loc)
    if inner.kind == "broadcast_in_dim":
        dims = tuple(order.index(dim) for dim in inner.attrs["dims"])
        return builder.emit(inner.kind, inner.operands, op.result.type, {"dims": dims}, op.loc)
    if inner.kind == "iota":
        dim = order.index(inner.attrs["dim"])
        return builder.emit("iota", (), op.result.type, {"dim": dim}, op.loc)
    return None


def _iota(builder: Builder, op: Op) -> Value | None:
    return builder.splat(0, op.result.type) if op.result.shape[op.attrs["dim"]] == 1 else None


def _slice(builder: Builder, op: Op) -> Value | None:
    (source,) = op.operands
    return source if source.shape == op.result.shape else None


def _concatenate(builder: Builder, op: Op) -> Value | None:
    full = [value for value in op.operands if value.type.size]
    if len(full) == 1:
        return full[0]
    if full and len(full) < len(op.operands):
        return builder.emit(op.kind, full, op.result.type, op.attrs, op.loc)
    return None


def _reduce(builder: Builder, op: Op) -> Value | None:
    """Take the axes of extent 1 out of a reduce; with no axis left it is `init (reducer) x`."""
    source, init = op.operands
    dims = tuple(dim for dim in op.attrs["dims"] if source.shape[dim] != 1)
    if dims and dims == op.attrs["dims"]:
        return None
    gone = [dim for dim in op.attrs["dims"] if dim not in dims]
    shape = tuple(n for axis, n in enumerate(source.shape) if axis not in gone)
    small = builder.reshape(source, shape, op.loc)
    if not dims:
        first = builder.emit("broadcast_in_dim", (init,), op.result.type, {"dims": ()}, op.loc)
        return builder.emit(op.attrs["reducer"], (first, small), op.result.type, loc=op.loc)
    fewer = tuple(dim - sum(g < dim for g in gone) for dim in dims)
    attrs = {**op.attrs, "dims": fewer}
    return builder.emit("reduce", (small, init), op.result.type, attrs, op.loc)


def _before_broadcast(builder: Builder, op: Op) -> Value | None:
    """Compute on small operands first: op(broadcast(a), broadcast(b)) = broadcast(op(a, b))."""
    makers = [builder.defs.get(value) for value in op.operands]
    wide = [m for m in makers if m is not None and m.kind == "broadcast_in_dim"]
    splats = [splat_value(maker) for maker in makers]
    if not wide or len(wide) + sum(s is not None for s in splats) < len(makers):
        return None
    dims, shape = wide[0].attrs["dims"], wide[0].operands[0].shape
    if any(m.attrs["dims"] != dims or m.operands[0].shape != shape for m in wide):
        return None
    small = []
    for maker, splat, value in zip(makers, splats, op.operands, strict=True):
        if splat is not None:
            small.append(builder.splat(splat, TensorType(shape, value.dtype), op.loc))
        elif maker is not None:
            small.append(maker.operands[0])
    narrow = TensorType(shape, op.result.dtype)
    first = builder.emit(op.kind, small, narrow, op.attrs, op.loc)
    return builder.emit("broadcast_in_dim", (first,), op.result.type, {"dims": dims}, op.loc)


_RULES = {
    "reshape": _reshape,
    "broadcast_in_dim": _broadcast,
    "transpose": _transpose,
    "iota": _iota,
    "slice": _slice,
    "concatenate": _concatenate,
    "reduce": _reduce,
}
