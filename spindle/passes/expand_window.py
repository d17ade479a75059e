"""expand_window: reduce windows axis by axis, with slices and elementwise ops.

In: a Module. Out: the Module without `reduce_window`. Along an axis a window is combined by halves
(docs/numerics.md 4). Short windows take a slice per element; long ones share the sums of 2, 4, 8
... neighbours, so that n elements need log n steps.
"""

from __future__ import annotations

from spindle.ir.graph import Module, Op, TensorType, Value
from spindle.ir.kinds import neutral
from spindle.ir.rewrite import Builder
from spindle.ir.windows import largest_power_below, window_axes
from spindle.options import Options
from spindle.passes.emit import Emitter, expand

SHORT = 4
"""Elements of a window for which a slice each is cheaper than shared sums."""


def expand_window(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"reduce_window"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "reduce_window":
        return None
    emit = Emitter(builder, op.loc)
    init, out = op.operands[1], op.result
    value = init
    if out.type.size:
        value = _padded(emit, op)
        for axis in reversed(range(len(out.shape))):
            value = _Axis(emit, op, axis).reduce(value)
    return (
        emit.op(op.attrs["reducer"], emit.spread(init, out.shape), emit.spread(value, out.shape)),
    )


def _padded(emit: Emitter, op: Op) -> Value:
    attrs = {
        "low": tuple(low for low, _ in op.attrs["padding"]),
        "high": tuple(high for _, high in op.attrs["padding"]),
        "interior": tuple(step - 1 for step in op.attrs["base_dilation"]),
    }
    shape = tuple(axis.padded for axis in window_axes(op))
    type_ = TensorType(shape, op.result.dtype)
    x, init = op.operands
    nothing = emit.splat(neutral(op.attrs["reducer"], init.dtype), init)
    return emit.builder.emit("pad", (x, nothing), type_, attrs, op.loc)


class _Axis:
    """The windows along one axis: their elements, distance and number."""

    def __init__(self, emit: Emitter, op: Op, axis: int) -> None:
        self.emit, self.axis, self.reducer = emit, axis, op.attrs["reducer"]
        self.window, self.stride = op.attrs["window"][axis], op.attrs["strides"][axis]
        self.step = op.attrs["window_dilation"][axis]
        self.span = (op.result.shape[axis] - 1) * self.stride + 1
        self.sums: dict[int, Value] = {}

    def reduce(self, value: Value) -> Value:
        """Return one value per window of `value`."""
        self.sums = {1: value}
        if self.window > SHORT * min(self.stride, 2):
            self._share(value)
        return self._part(0, self.window)

    def _share(self, value: Value) -> None:
        """Compute the sums of 2, 4, 8 ... elements from every place on."""
        width = 1
        while 2 * width < self.window:
            shift, extent = width * self.step, value.shape[self.axis]
            left = self.emit.cut(value, self.axis, 0, extent - shift)
            right = self.emit.cut(value, self.axis, shift, extent)
            value = self.emit.op(self.reducer, left, right)
            width *= 2
            self.sums[width] = value

    def _part(self, first: int, width: int) -> Value:
        """Return the sum of `width` elements of every window, from element `first` on."""
        if width in self.sums:
            start = first * self.step
            limit = start + self.span
            return self.emit.cut(self.sums[width], self.axis, start, limit, self.stride)
        middle = largest_power_below(width)
        left, right = self._part(first, middle), self._part(first + middle, width - middle)
        return self.emit.op(self.reducer, left, right)
