"""lower_convolution: write convolutions as dots of their windows (docs/spec/convolution.md, 7).

In: a Module after fix_numerics. Out: the Module without `convolution`. The windows become a matrix
(patches.py), the kernel another; a bfp28 dot gets the exponents of whole images and channels as
operands (given_exponents.py), so that every bit is the convolution's.
"""

from __future__ import annotations

from typing import Any

from spindle.ir.convolution import Geometry, geometry
from spindle.ir.graph import ConvNumerics, DotNumerics, GivenNumerics, Module, Op, TensorType, Value
from spindle.ir.rewrite import Builder, rebuild_module
from spindle.options import Options
from spindle.passes import given_exponents, patches


def lower_convolution(module: Module, options: Options) -> Module:
    """Rewrite the convolutions of every region. Needs nothing of the options."""
    return rebuild_module(module, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "convolution":
        return None
    shape = geometry(op)
    if 0 in (op.result.type.size, shape.contracted):
        return (builder.splat(0, op.result.type, op.loc),)
    form = _form(op)
    lhs, rhs = _canonical(builder, op, shape, form)
    dot = _dot(builder, op, shape, lhs, rhs)
    return (_placed(builder, op, shape, dot),)


def _form(op: Op) -> str:
    """Return the order of the contracted index; that of integers changes nothing."""
    numerics = op.attrs.get("numerics")
    return numerics.form if isinstance(numerics, ConvNumerics) else "forward"


def moved(builder: Builder, value: Value, order: tuple[int, ...], loc: str) -> Value:
    """Return a value with its axes in another order."""
    if order == tuple(range(len(order))):
        return value
    type_ = TensorType(tuple(value.shape[axis] for axis in order), value.dtype)
    return builder.emit("transpose", (value,), type_, {"permutation": order}, loc)


def _canonical(builder: Builder, op: Op, shape: Geometry, form: str) -> tuple[Value, Value]:
    """Images [B, *S, C] and kernel [*W, C, N], or [B, C, *S] and [C, *W, N], of all groups."""
    batch, feature, *spatial = op.attrs["lhs_axes"]
    outputs, channels, *window = op.attrs["rhs_axes"]
    first = form == "weight_gradient"
    data = (batch, feature, *spatial) if first else (batch, *spatial, feature)
    weights = (channels, *window, outputs) if first else (*window, channels, outputs)
    images = moved(builder, op.operands[0], data, op.loc)
    kernel = moved(builder, op.operands[1], weights, op.loc)
    dims = tuple(axis + first for axis, turned in enumerate(shape.reversal) if turned)
    if dims:
        kernel = builder.emit("reverse", (kernel,), kernel.type, {"dims": dims}, op.loc)
    return images, kernel


def _dot(builder: Builder, op: Op, shape: Geometry, images: Value, kernel: Value) -> Value:
    """Return the dot of windows and kernel: [G, M, *places, N], without G where it is 1."""
    numerics = op.attrs.get("numerics")
    lhs, attrs = _lhs(builder, shape, images, _form(op), op.loc)
    rhs = builder.reshape(kernel, (shape.contracted, *_grouped(shape), shape.outputs), op.loc)
    operands, attrs["precision"] = [lhs, rhs], op.attrs["precision"]
    if isinstance(numerics, ConvNumerics) and numerics.mode == "float32":
        attrs["numerics"] = DotNumerics("float32")
    elif isinstance(numerics, ConvNumerics):
        attrs["numerics"] = GivenNumerics(numerics.mode, numerics.mantissa, numerics.k_block)
        operands += given_exponents.emit(builder, op, shape, numerics)
    free = tuple(n for i, n in enumerate(lhs.shape) if i not in _used(attrs))
    type_ = TensorType((*_grouped(shape), *free, shape.outputs), lhs.dtype)
    return builder.emit("dot_general", operands, type_, attrs, op.loc)


def _used(attrs: dict[str, Any]) -> tuple[int, ...]:
    return (*attrs["lhs_batch"], *attrs["lhs_contract"])


def _grouped(shape: Geometry) -> tuple[int, ...]:
    """The group axis of a dot, where there is one."""
    return (shape.groups,) if shape.groups > 1 else ()


def _lhs(
    builder: Builder, shape: Geometry, images: Value, form: str, loc: str
) -> tuple[Value, dict[str, Any]]:
    """The windows with their axes' roles in a dot_general; the contracted axis is the last."""
    make = patches.forward if form == "forward" else patches.weight_gradient
    value = make(builder, images, shape, loc)
    batch: tuple[int, ...] = (len(value.shape) - 2,) if shape.feature_groups > 1 else ()
    if shape.batch_groups > 1:
        split = (shape.groups, shape.images, *value.shape[1:])
        value, batch = builder.reshape(value, split, loc), (0,)
    attrs: dict[str, Any] = {"lhs_batch": batch, "lhs_contract": (len(value.shape) - 1,)}
    return value, {**attrs, "rhs_batch": (1,) if batch else (), "rhs_contract": (0,)}


def _placed(builder: Builder, op: Op, shape: Geometry, dot: Value) -> Value:
    """The dot's result in the axes of the convolution."""
    n_axes, loc = len(shape.result), op.loc
    split = (shape.groups, shape.images, *shape.result, shape.outputs)
    if shape.groups > 1:
        order = (1, *range(2, n_axes + 2), 0, n_axes + 2)
        dot = moved(builder, builder.reshape(dot, split, loc), order, loc)
    full = (shape.images, *shape.result, shape.groups * shape.outputs)
    value = builder.reshape(dot, full, loc)
    batch, feature, *spatial = op.attrs["out_axes"]
    named = (batch, *spatial, feature)
    return moved(builder, value, tuple(named.index(axis) for axis in range(len(named))), loc)
