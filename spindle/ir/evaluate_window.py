"""pad, reduce_window and select_and_scatter in NumPy (docs/numerics.md 4).

In: the op and its operands. Out: the result. A window's elements are combined axis by axis, the
last axis first, by halves: the first largest power of two of them, then the others.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from spindle.ir.evaluate_elementwise import COMPARE, add, canonical
from spindle.ir.evaluate_reduce import COMBINE
from spindle.ir.graph import Op
from spindle.ir.kinds import neutral
from spindle.ir.windows import largest_power_below, window_axes

Array = np.ndarray[Any, Any]
Combine = Callable[[Array, Array], Array]


def pad(op: Op, x: Array, fill: Array) -> Array:
    """Spread x with `interior` fills between elements, `low` before and `high` after them."""
    return _padded(x, fill, op.attrs["low"], op.attrs["interior"], op.result.shape)


def _padded(
    x: Array, fill: Array, low: tuple[int, ...], interior: tuple[int, ...], shape: tuple[int, ...]
) -> Array:
    out = np.broadcast_to(fill, shape).copy()
    places = [
        np.arange(n) * (inside + 1) + first
        for n, first, inside in zip(x.shape, low, interior, strict=True)
    ]
    inside = [(p >= 0) & (p < n) for p, n in zip(places, shape, strict=True)]
    kept = [np.flatnonzero(ok) for ok in inside]
    out[np.ix_(*(p[k] for p, k in zip(places, kept, strict=True)))] = x[np.ix_(*kept)]
    return out


def reduce_window(op: Op, x: Array, init: Array) -> Array:
    """Combine the elements of every window, then init with the result; padding adds nothing."""
    low = tuple(pair[0] for pair in op.attrs["padding"])
    interior = tuple(step - 1 for step in op.attrs["base_dilation"])
    shape = tuple(axis.padded for axis in window_axes(op))
    combine = COMBINE[op.attrs["reducer"]]
    fill = np.asarray(neutral(op.attrs["reducer"], op.result.dtype), x.dtype)
    x = _padded(x, fill, low, interior, tuple(max(n, 0) for n in shape))
    for axis in reversed(range(x.ndim)):
        count = window_axes(op)[axis].n_windows
        starts = np.arange(count) * op.attrs["strides"][axis]
        offsets = np.arange(op.attrs["window"][axis]) * op.attrs["window_dilation"][axis]
        x = _halves([x.take(starts + offset, axis=axis) for offset in offsets], combine)
    return combine(np.broadcast_to(init, x.shape), x)


def _halves(elements: list[Array], combine: Combine) -> Array:
    if len(elements) == 1:
        return elements[0]
    middle = largest_power_below(len(elements))
    return combine(_halves(elements[:middle], combine), _halves(elements[middle:], combine))


def select_and_scatter(op: Op, x: Array, source: Array, init: Array) -> Array:
    """Add each window's source to its selected element; the windows of an element in order.

    In a window the first element is selected; each next one, row-major, takes its place unless
    `selected (direction) next` holds. Padding is never selected.
    """
    chosen = _selected(op, x)
    out = np.broadcast_to(canonical(np.asarray(init)), x.shape).copy()
    offsets = list(itertools.product(*map(range, op.attrs["window"])))
    for number in reversed(range(len(offsets))):
        windows = np.nonzero(chosen == number)
        at = tuple(p[w] for p, w in zip(_places(op, offsets[number]), windows, strict=True))
        out[at] = add(out[at], source[windows])
    return out


def _selected(op: Op, x: Array) -> Array:
    """Per window the number of the selected element, -1 where all is padding."""
    shape = op.operands[1].shape
    chosen, best = np.full(shape, -1), np.zeros(shape, x.dtype)
    for number, offset in enumerate(itertools.product(*map(range, op.attrs["window"]))):
        places = _places(op, offset)
        valid = [(p >= 0) & (p < n) for p, n in zip(places, x.shape, strict=True)]
        element = x[np.ix_(*(p.clip(0, n - 1) for p, n in zip(places, x.shape, strict=True)))]
        stays = (chosen >= 0) & COMPARE[op.attrs["direction"]](best, element)
        taken = functools.reduce(np.logical_and.outer, valid) & ~stays
        chosen, best = np.where(taken, number, chosen), np.where(taken, element, best)
    return chosen


def _places(op: Op, offset: tuple[int, ...]) -> list[Array]:
    """Per axis the operand's index of the element `offset` of every window."""
    table = zip(op.operands[1].shape, op.attrs["strides"], offset, op.attrs["padding"], strict=True)
    return [np.arange(n) * stride + k - low for n, stride, k, (low, _) in table]
