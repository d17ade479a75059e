"""Constants of Threefry 2x32 and Philox 4x32, and how XLA splits a shape between Threefry's words.

In: nothing, or a shape. Out: numbers. Source: Salmon et al., "Parallel random numbers: as easy as
1, 2, 3", SC 2011; XLA's prng library for the split.
"""

from __future__ import annotations

THREEFRY_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
THREEFRY_PARITY = 0x1BD11BDA
PHILOX_FACTORS = (0xD2511F53, 0xCD9E8D57)
PHILOX_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
PHILOX_ROUNDS = 10


def split_axis(shape: tuple[int, ...]) -> int:
    """Return the first axis of even extent, else the first longest one; 0 of a scalar.

    >>> split_axis((3, 4)), split_axis((3, 5))
    (1, 1)
    """
    even = [axis for axis, n in enumerate(shape) if n % 2 == 0]
    return even[0] if even else shape.index(max(shape)) if shape else 0
