"""Float32 bit patterns that are hard for soft float, and NumPy's answer in the firmware's form."""

from __future__ import annotations

import numpy as np

SPECIAL = np.array(
    [
        *(0x00000000, 0x00000001, 0x007FFFFF, 0x00800000, 0x00800001, 0x3F800000, 0x3F7FFFFF),
        *(0x3F800001, 0x33800000, 0x34000000, 0x4B800000, 0x7F000000, 0x7F7FFFFF, 0x7F800000),
        *(0x7FC00000, 0x7F800001, 0x7FFFFFFF, 0x40490FDB, 0x19000000, 0x18FFFFFF),
    ],
    np.uint32,
)
KINDS = ("normal", "bits", "near", "small", "special", "sparse", "ties")


def floats(rng: np.random.Generator, n: int, kind: str) -> np.ndarray:
    """n words: N(0,1), any bits, close exponents with few set bits (cancellations), denormals and
    small numbers, special values, ReLU-like zeros, or short significands (ties)."""
    sign = rng.integers(0, 2, n, np.uint32) << np.uint32(31)
    if kind == "bits":
        return rng.integers(0, 1 << 32, n, np.uint32)
    if kind == "special":
        return sign | rng.choice(SPECIAL, n)
    if kind == "near":
        ends = rng.choice(np.array([0, 0x7FFFF8], np.uint32), n) + rng.integers(0, 8, n, np.uint32)
        return sign | rng.integers(125, 129, n, np.uint32) << np.uint32(23) | ends
    if kind == "small":
        fraction = rng.integers(0, 1 << 23, n, np.uint32)
        return sign | rng.integers(0, 30, n, np.uint32) << np.uint32(23) | fraction
    if kind == "ties":
        short = rng.integers(0, 1 << 12, n, np.uint32) << rng.integers(0, 12, n, np.uint32)
        return sign | rng.integers(110, 140, n, np.uint32) << np.uint32(23) | short
    x = rng.standard_normal(n).astype(np.float32)
    return (np.maximum(x, 0) if kind == "sparse" else x).view(np.uint32)


def float_bits(words: np.ndarray) -> np.ndarray:
    """Words as the floats they are."""
    return words.astype(np.uint32).view(np.float32)


def canonical(values: np.ndarray) -> np.ndarray:
    """Bits of float32 values, every NaN as 0x7fc00000."""
    words = values.astype(np.float32).view(np.uint32).copy()
    words[np.isnan(values)] = 0x7FC00000
    return words
