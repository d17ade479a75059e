"""Sizes of windowed ops: how many windows an axis has, and where their elements lie.

In: a reduce_window or select_and_scatter op. Out: plain numbers. Padding and dilation are as in
StableHLO: the operand is dilated, then padded, then windows of dilated elements slide over it.
"""

from __future__ import annotations

from typing import NamedTuple

from spindle.ir.graph import Op


class WindowAxis(NamedTuple):
    """One axis: the number of windows, and the padded extent that they slide over."""

    n_windows: int
    padded: int


def dilated(extent: int, step: int) -> int:
    """Return the extent with step - 1 elements put between each two."""
    return max((extent - 1) * step + 1, 0) if extent else 0


def window_axes(op: Op) -> list[WindowAxis]:
    """Return the axes of an op with window, strides, padding and perhaps dilations."""
    axes = []
    ones = (1,) * len(op.attrs["window"])
    base, inner = (op.attrs.get(f"{key}_dilation", ones) for key in ("base", "window"))
    for axis, extent in enumerate(op.operands[0].shape):
        low, high = op.attrs["padding"][axis]
        padded = low + dilated(extent, base[axis]) + high
        reach = dilated(op.attrs["window"][axis], inner[axis])
        n_windows = (padded - reach) // op.attrs["strides"][axis] + 1 if padded >= reach else 0
        axes.append(WindowAxis(n_windows, padded))
    return axes


def largest_power_below(n: int) -> int:
    """Return the largest power of two below n, for n >= 2.

    >>> [largest_power_below(n) for n in (2, 3, 4, 5, 8, 9)]
    [1, 2, 2, 4, 4, 8]
    """
    return 1 << ((n - 1).bit_length() - 1)
