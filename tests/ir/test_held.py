"""held: words give back every bit of every value, and have the shapes that they say."""

from __future__ import annotations

import numpy as np
import pytest

from spindle.ir.dtypes import bit_width
from spindle.ir.graph import DTYPES, TensorType
from spindle.ir.held import HELD, hold, release, words_type


def every(dtype: str) -> np.ndarray:
    """All values of at most 16 bits; of 64 bits some, in two rows."""
    if bit_width(dtype) > 16:
        ends = [0, 1, -1, 2**63 - 1, -(2**63), 2**32, 2**32 - 1, -(2**32)]
        return np.array(ends, np.int64).view(DTYPES[dtype]).reshape(2, 4)
    width = bit_width(dtype)
    return np.arange(1 << width).astype(f"u{width // 8}").view(DTYPES[dtype])


@pytest.mark.parametrize("dtype", sorted(HELD))
def test_there_and_back(dtype: str) -> None:
    for array in (every(dtype), every(dtype)[1:2], every(dtype).reshape(-1)[3].reshape(())):
        words, type_ = hold(array, dtype), words_type(TensorType(array.shape, dtype))
        assert words.dtype == DTYPES[type_.dtype] and words.shape == type_.shape
        assert words.size == TensorType(array.shape, dtype).n_words
        back = release(words, dtype)
        assert back.dtype == array.dtype and back.shape == array.shape
        assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", ["bf16", "f16", "i8", "ui16"])
def test_words_have_the_same_values(dtype: str) -> None:
    array = every(dtype)
    with np.errstate(invalid="ignore"):
        words = hold(array, dtype).astype(np.float64)
        assert np.array_equal(words, array.astype(np.float64), equal_nan=True)


def test_lower_words_come_first() -> None:
    words = hold(np.array([0x100000002, -1], np.int64), "i64")
    assert words.tolist() == [[2, 2**32 - 1], [1, 2**32 - 1]]
