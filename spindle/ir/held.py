"""Types that no kernel computes with, and the words that hold them (docs/numerics.md 1).

In: host arrays of such a type, or their words. Out: the other form, bit for bit: nothing here
rounds. bf16 and f16 are held by the float32 of the same value, NaNs with their payload in its upper
bits; 8- and 16-bit integers by the i32 or ui32 of the same value; 64-bit integers by ui32 words,
first all lower ones, then all upper ones.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from spindle.ir.graph import DTYPES, PAIRS, TensorType

Array = np.ndarray[Any, Any]

HELD = {
    "bf16": "f32", "f16": "f32", "i8": "i32", "i16": "i32", "ui8": "ui32", "ui16": "ui32",
    "i64": "ui32", "ui64": "ui32",
}  # fmt: skip
"""Held type -> type of its words."""


def words_type(type_: TensorType) -> TensorType:
    """Return the type of the words that hold a tensor.

    >>> str(words_type(TensorType((3,), "i64"))), str(words_type(TensorType((3,), "bf16")))
    ('ui32[2,3]', 'f32[3]')
    """
    shape = (2, *type_.shape) if type_.dtype in PAIRS else type_.shape
    return TensorType(shape, HELD.get(type_.dtype, type_.dtype))


def hold(array: Array, dtype: str) -> Array:
    """Return the words of an array of a held type."""
    return np.asarray(_hold(array, dtype))


def release(words: Array, dtype: str) -> Array:
    """Return the array of a held type whose words these are."""
    return np.asarray(_release(words, dtype))


def _hold(array: Array, dtype: str) -> Array:
    if dtype == "bf16":
        bits = _bits(array, np.uint16).astype(np.uint32)
        return (bits << np.uint32(16)).view(np.float32)
    if dtype == "f16":
        return _hold_f16(array)
    if dtype in PAIRS:
        bits = _bits(array, np.uint64)
        return np.stack([bits, bits >> np.uint64(32)]).astype(np.uint32)
    return array.astype(DTYPES[HELD[dtype]])


def _release(words: Array, dtype: str) -> Array:
    if dtype == "bf16":
        bits = _bits(words, np.uint32) >> np.uint32(16)
        return bits.astype(np.uint16).view(ml_dtypes.bfloat16)
    if dtype == "f16":
        return _release_f16(words)
    if dtype in PAIRS:
        low, high = words.astype(np.uint64)
        return np.asarray(low | high << np.uint64(32)).view(DTYPES[dtype])
    return words.astype(DTYPES[dtype])


def _bits(array: Array, unsigned: Any) -> Array:
    bits: Array = np.ascontiguousarray(array).reshape(array.shape).view(unsigned)
    return bits


def _hold_f16(array: Array) -> Array:
    bits = _bits(array, np.uint16).astype(np.uint32)
    nan = (bits & 0x8000) << 16 | np.uint32(0x7F800000) | (bits & 0x3FF) << 13
    number = array.astype(np.float32)
    return np.where(np.isnan(array), nan, _bits(number, np.uint32)).view(np.float32)


def _release_f16(words: Array) -> Array:
    bits = _bits(words, np.uint32)
    nan = (bits >> 16 & 0x8000 | 0x7C00 | bits >> 13 & 0x3FF).astype(np.uint16)
    number = _bits(words.astype(np.float16), np.uint16)
    return np.where(np.isnan(words), nan, number).view(np.float16)
