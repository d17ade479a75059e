"""The exponents of a convolution's operands, as integer ops (docs/spec/convolution.md, 4 and 6).

In: a convolution op. Out: i32 Values for a dot_general with GivenNumerics, each for every group: in
bfp28 d per contracted index, then exponent words per row (place of an image) and per column (output
feature). They are taken from the operands themselves, not from the windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from spindle.ir.convolution import Geometry
from spindle.ir.dot_modes import WHOLE_ROWS
from spindle.ir.evaluate_dot import EMPTY
from spindle.ir.graph import ConvNumerics, Op, TensorType, Value
from spindle.ir.rewrite import Builder
from spindle.spec.tables import EMPTY_EXPONENT, NONFINITE_FLAG

SMALLEST_NORMAL = 0x00800000
INFINITY = 0x7F800000
FIRST_GONE = int(EMPTY) // 2
"""Below this an exponent, or a sum of some, stands for nothing."""


@dataclass(frozen=True)
class _Ops:
    """Emits integer ops; the second operand may be a number."""

    builder: Builder
    loc: str

    def emit(self, kind: str, a: Value, b: Value | int, dtype: str = "i32", **attrs: Any) -> Value:
        other = self.builder.splat(b, a.type, self.loc) if isinstance(b, int) else b
        type_ = TensorType(a.shape, dtype)
        return self.builder.emit(kind, (a, other), type_, attrs, self.loc)

    def compare(self, a: Value, direction: str, b: Value | int) -> Value:
        return self.emit("compare", a, b, "i1", direction=direction)

    def select(self, pred: Value, yes: Value | int, no: Value | int) -> Value:
        type_ = TensorType(pred.shape, "i32")
        sides = [
            self.builder.splat(x, type_, self.loc) if isinstance(x, int) else x for x in (yes, no)
        ]
        return self.builder.emit("select", (pred, *sides), type_, loc=self.loc)

    def largest(self, value: Value, dims: Sequence[int], start: int = int(EMPTY)) -> Value:
        if not dims:
            return value
        init = self.builder.splat(start, TensorType((), "i32"), self.loc)
        kept = tuple(n for axis, n in enumerate(value.shape) if axis not in dims)
        attrs = {"dims": tuple(dims), "reducer": "maximum"}
        type_ = TensorType(kept, "i32")
        return self.builder.emit("reduce", (value, init), type_, attrs, self.loc)

    def spread(self, value: Value, shape: Sequence[int], dims: Sequence[int]) -> Value:
        type_ = TensorType(tuple(shape), "i32")
        attrs = {"dims": tuple(dims)}
        return self.builder.emit("broadcast_in_dim", (value,), type_, attrs, self.loc)

    def turned(self, value: Value, order: Sequence[int]) -> Value:
        type_ = TensorType(tuple(value.shape[axis] for axis in order), "i32")
        attrs = {"permutation": tuple(order)}
        return self.builder.emit("transpose", (value,), type_, attrs, self.loc)

    def reshape(self, value: Value, *shape: int) -> Value:
        return self.builder.reshape(value, shape, self.loc)


@dataclass(frozen=True)
class _Peaks:
    """Of one operand: largest exponents [G, rows, C], and flags [G, rows] (NONFINITE_FLAG or 0).

    Before the groups are told apart: both [row, channel] of the whole tensor.
    """

    exponents: Value
    flags: Value


def emit(builder: Builder, op: Op, shape: Geometry, numerics: ConvNumerics) -> list[Value]:
    """Append the ops; return d [G * K] (bfp28), row words [G * M * places], columns' [G * N]."""
    ops = _Ops(builder, op.loc)
    a, b = _image_peaks(ops, op, shape), _kernel_peaks(ops, op, shape)
    if numerics.mode in WHOLE_ROWS:
        return _spread_words(ops, _words(ops, a, a.exponents), _words(ops, b, b.exponents), shape)
    d = _balance(ops, _relative(ops, a), _relative(ops, b))
    minus_d = ops.emit("subtract", ops.builder.splat(0, d.type, op.loc), d)
    rows, columns = (_balanced_words(ops, peaks, by) for peaks, by in ((a, d), (b, minus_d)))
    return [
        _spread_balance(ops, d, shape, numerics.form),
        *_spread_words(ops, rows, columns, shape),
    ]


def _spread_balance(ops: _Ops, d: Value, shape: Geometry, form: str) -> Value:
    groups, window = shape.groups, prod(shape.window)
    order = ((groups, window, shape.channels), (0, 2))
    if form == "weight_gradient":
        order = ((groups, shape.channels, window), (0, 1))
    return ops.reshape(ops.spread(d, *order), groups * shape.contracted)


def _spread_words(ops: _Ops, rows: Value, columns: Value, shape: Geometry) -> list[Value]:
    places = (shape.groups, shape.images, shape.places)
    return [
        ops.reshape(ops.spread(rows, places, (0, 1)), prod(places)),
        ops.reshape(columns, shape.groups * shape.outputs),
    ]


def _image_peaks(ops: _Ops, op: Op, shape: Geometry) -> _Peaks:
    found = _peaks(ops, op.operands[0], op.attrs["lhs_axes"])
    split = (shape.batch_groups, shape.images, shape.feature_groups, shape.channels)
    size = (shape.groups, shape.images, shape.channels)
    exponents, flags = (
        ops.reshape(ops.turned(ops.reshape(part, *split), (0, 2, 1, 3)), *size)
        for part in (found.exponents, found.flags)
    )
    return _Peaks(exponents, ops.largest(flags, (2,), 0))


def _kernel_peaks(ops: _Ops, op: Op, shape: Geometry) -> _Peaks:
    found = _peaks(ops, op.operands[1], op.attrs["rhs_axes"])
    size = (shape.groups, shape.outputs, shape.channels)
    exponents, flags = ops.reshape(found.exponents, *size), ops.reshape(found.flags, *size)
    return _Peaks(exponents, ops.largest(flags, (2,), 0))


def _peaks(ops: _Ops, x: Value, axes: Sequence[int]) -> _Peaks:
    """Largest exponents and flags over the spatial axes: [row, channel].

    From the operand as it stands, before any reverse: so several convolutions share the work.
    """
    maker = ops.builder.defs.get(x)
    x = maker.operands[0] if maker is not None and maker.kind == "reverse" else x
    bits = ops.builder.emit("bitcast_convert", (x,), TensorType(x.shape, "i32"), loc=ops.loc)
    magnitude = ops.emit("and", bits, 0x7FFFFFFF)
    nonfinite = ops.select(ops.compare(magnitude, "GE", INFINITY), NONFINITE_FLAG, 0)
    row, channel, *positions = axes
    parts = [
        ops.largest(part, sorted(positions), start)
        for part, start in ((_exponents(ops, magnitude), int(EMPTY)), (nonfinite, 0))
    ]
    if channel < row:
        parts = [ops.turned(part, (1, 0)) for part in parts]
    return _Peaks(*parts)


def _exponents(ops: _Ops, magnitude: Value) -> Value:
    """floor(log2|x|) of finite non-zero elements, EMPTY elsewhere."""
    builder, shape = ops.builder, magnitude.shape
    whole = builder.emit("convert", (magnitude,), TensorType(shape, "f32"), loc=ops.loc)
    bits = builder.emit("bitcast_convert", (whole,), magnitude.type, loc=ops.loc)
    denormal = ops.emit("subtract", ops.emit("shift_right_logical", bits, 23), 149)
    field = ops.emit("shift_right_logical", magnitude, 23)
    own = ops.select(ops.compare(magnitude, "LT", SMALLEST_NORMAL), denormal, field)
    counts = ops.emit(
        "and", ops.compare(magnitude, "GT", 0), ops.compare(magnitude, "LT", INFINITY), "i1"
    )
    return ops.select(counts, ops.emit("subtract", own, 127), int(EMPTY))


def _relative(ops: _Ops, peaks: _Peaks) -> Value:
    """Largest exponent per channel relative to its row's, [G, C]."""
    e = peaks.exponents
    rows = ops.spread(ops.largest(e, (2,)), e.shape, (0, 1))
    empty = ops.compare(e, "EQ", int(EMPTY))
    return ops.largest(ops.select(empty, int(EMPTY), ops.emit("subtract", e, rows)), (1,))


def _balance(ops: _Ops, a: Value, b: Value) -> Value:
    """d [G, C] = (b - a) >> 1, 0 where either has nothing."""
    least = ops.emit("minimum", a, b)
    half = ops.emit("shift_right_arithmetic", ops.emit("subtract", b, a), 1)
    return ops.select(ops.compare(least, "LT", FIRST_GONE), 0, half)


def _balanced_words(ops: _Ops, peaks: _Peaks, d: Value) -> Value:
    """Exponent words [G, rows] of an operand scaled by 2^d; 0 where a row has no exponent."""
    e = peaks.exponents
    return _words(ops, peaks, ops.emit("add", e, ops.spread(d, e.shape, (0, 2))), 0)


def _words(ops: _Ops, peaks: _Peaks, e: Value, nothing: int = EMPTY_EXPONENT) -> Value:
    """Exponent words [G, rows] from the exponents e [G, rows, C]; nothing: where a row has none."""
    largest = ops.largest(e, (2,))
    empty = ops.compare(largest, "LT", FIRST_GONE)
    return ops.emit("or", ops.emit("and", ops.select(empty, nothing, largest), 0xFFFF), peaks.flags)
