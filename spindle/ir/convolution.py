"""The shape of a convolution: its groups, images, channels, window and result, whatever the axes.

In: a convolution op (docs/spec/module.md). Out: Geometry, the canonical form of
docs/spec/convolution.md, which the kind rules, the evaluator and the passes share.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from spindle.ir.graph import Op, TensorType

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Geometry:
    """Extents of one convolution. Images, channels and outputs are those of one group.

    image, window, result: spatial extents of lhs, rhs and result. padding: (low, high) per axis,
    negative ones crop. reversal: axes whose window is walked backwards.
    """

    feature_groups: int
    batch_groups: int
    images: int
    channels: int
    outputs: int
    image: Shape
    window: Shape
    result: Shape
    strides: Shape
    padding: tuple[tuple[int, int], ...]
    lhs_dilation: Shape
    rhs_dilation: Shape
    reversal: tuple[bool, ...]

    @property
    def groups(self) -> int:
        """Groups of either kind; one of the two numbers is 1."""
        return self.feature_groups * self.batch_groups

    @property
    def contracted(self) -> int:
        """Length of the contracted index."""
        return prod(self.window) * self.channels

    @property
    def places(self) -> int:
        """Outputs of one image and output feature."""
        return prod(self.result)

    @property
    def result_type(self) -> tuple[int, ...]:
        """(batch, feature, spatial ...) of the result."""
        return self.images, self.outputs * self.groups, *self.result


def geometry(op: Op) -> Geometry:
    """Return the Geometry of a convolution op whose attributes are complete."""
    attrs, (lhs, rhs) = op.attrs, op.operands
    images, _, *image = (lhs.shape[axis] for axis in attrs["lhs_axes"])
    outputs, channels, *window = (rhs.shape[axis] for axis in attrs["rhs_axes"])
    groups = attrs["feature_groups"] * attrs["batch_groups"]
    keys = ("strides", "padding", "lhs_dilation", "rhs_dilation", "reversal")
    steps = {key: attrs[key] for key in keys}
    return Geometry(
        attrs["feature_groups"],
        attrs["batch_groups"],
        images // attrs["batch_groups"],
        channels,
        outputs // groups,
        tuple(image),
        tuple(window),
        tuple(
            _result_extent(op, axis, n) for axis, n in enumerate(zip(image, window, strict=True))
        ),
        **steps,
    )


def dilated(extent: int, dilation: int) -> int:
    """Return the extent of an axis with dilation - 1 zeros (or skips) between its elements."""
    return (extent - 1) * dilation + 1 if extent else 0


def _result_extent(op: Op, axis: int, extents: tuple[int, int]) -> int:
    (n, window), attrs = extents, op.attrs
    low, high = attrs["padding"][axis]
    padded = dilated(n, attrs["lhs_dilation"][axis]) + low + high
    reach = dilated(window, attrs["rhs_dilation"][axis])
    return (padded - reach) // attrs["strides"][axis] + 1 if 0 < padded >= reach else 0


def result_type(op: Op) -> TensorType:
    """Return the type that a convolution's result must have."""
    shape = [0] * len(op.attrs["out_axes"])
    for axis, extent in zip(op.attrs["out_axes"], geometry(op).result_type, strict=True):
        shape[axis] = extent
    return TensorType(tuple(shape), op.operands[0].dtype)


def form(op: Op) -> str:
    """Return "weight_gradient" where the lhs has its feature before its batch, else "forward".

    What a weight gradient contracts over, the images of its lhs, comes first in every layout in
    use; the input gradient is a forward convolution (docs/spec/convolution.md, 3).
    """
    batch, feature = op.attrs["lhs_axes"][:2]
    return "weight_gradient" if feature < batch else "forward"
