"""rng_bit_generator in NumPy: Threefry and Philox, counted as XLA does (docs/numerics.md 4).

In: the state, ui64 [2] or [3]: key, counter. Out: the next state and the bits. Both generators are
those of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from spindle.ir.graph import DTYPES, Op
from spindle.ir.random_constants import (
    PHILOX_FACTORS,
    PHILOX_KEY_STEPS,
    PHILOX_ROUNDS,
    THREEFRY_PARITY,
    THREEFRY_ROTATIONS,
    split_axis,
)

Array = np.ndarray[Any, Any]
MASK = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def rng_bit_generator(op: Op, operands: list[Array]) -> list[Array]:
    """Return the state after the draw, and the bits."""
    (state,), out = operands, op.results[1].type
    dtype = DTYPES[out.dtype]
    wide = dtype.itemsize == 8
    if op.attrs["algorithm"] == "PHILOX":
        bits, counters = _philox_bits(state, prod(out.shape), wide)
        values = bits.reshape(out.shape)
    else:
        values, counters = _threefry_bits(state, out.shape, wide)
    return [np.concatenate([state[:1], counters]), values.astype(dtype)]


def _words(x: Array) -> tuple[Array, Array]:
    """Return the lower and upper words, as uint64."""
    return x & MASK, x >> HALF


# Threefry


def _threefry_bits(state: Array, shape: tuple[int, ...], wide: bool) -> tuple[Array, Array]:
    """Draw a pair of words a counter; halves of the split axis alternate between the two."""
    if wide:
        count = prod(shape)
        low, high = _threefry(state[0], state[1] + np.arange(count, dtype=np.uint64))
        return (low | high << HALF).reshape(shape), state[1:2] + np.uint64(count)
    axis = split_axis(shape)
    half = [-(-n // 2) if i == axis else n for i, n in enumerate(shape)] or [1]
    count = prod(half)
    pair = _threefry(state[0], state[1] + np.arange(count, dtype=np.uint64))
    counters = state[1:2] + np.uint64(count)
    if not shape:
        return pair[0].reshape(()), counters
    both = np.stack([word.reshape(half) for word in pair], axis + 1)
    half[axis] *= 2
    return both.reshape(half).take(np.arange(shape[axis]), axis), counters


def _threefry(key: Array, counter: Array) -> tuple[Array, Array]:
    first, second = _words(key)
    keys = (first, second, first ^ second ^ np.uint64(THREEFRY_PARITY))
    x, y = _words(counter)
    x, y = (x + keys[0]) & MASK, (y + keys[1]) & MASK
    for i in range(5):
        for rotation in THREEFRY_ROTATIONS[i % 2]:
            x = (x + y) & MASK
            y = ((y << np.uint64(rotation) | y >> np.uint64(32 - rotation)) & MASK) ^ x
        x = (x + keys[(i + 1) % 3]) & MASK
        y = (y + keys[(i + 2) % 3] + np.uint64(i + 1)) & MASK
    return x, y


# Philox


def _philox_bits(state: Array, n: int, wide: bool) -> tuple[Array, Array]:
    """Draw four words a 128-bit counter, whose upper half is the key where the state has two."""
    words = 2 * n if wide else n
    count = -(-words // 4)
    low, high = state[1], state[2] if state.size == 3 else state[0]
    lows = low + np.arange(count, dtype=np.uint64)
    highs = high + (lows < low)
    drawn = np.stack(_philox(state[0], (*_words(lows), *_words(highs))), axis=1).reshape(-1)
    if wide:
        drawn = drawn[::2] | drawn[1::2] << HALF
    following = low + np.uint64(count)
    counters = np.array([following, high + np.uint64(following < low)])
    return drawn[:n], counters[: state.size - 1]


def _philox(key: Array, x: tuple[Array, ...]) -> tuple[Array, ...]:
    first, second = _words(key)
    for _ in range(PHILOX_ROUNDS):
        low, high = _words(x[0] * np.uint64(PHILOX_FACTORS[0]))
        other, above = _words(x[2] * np.uint64(PHILOX_FACTORS[1]))
        x = (above ^ x[1] ^ first, other, high ^ x[3] ^ second, low)
        first = (first + np.uint64(PHILOX_KEY_STEPS[0])) & MASK
        second = (second + np.uint64(PHILOX_KEY_STEPS[1])) & MASK
    return x
