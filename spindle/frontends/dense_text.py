"""Constants of bf16 from their text, as jaxlib gives no array of them.

In: the text of an MLIR attribute, "dense<[1.5, 0x7FC1]> : tensor<2xbf16>" or "dense<1.0> : ...".
Out: an array. MLIR writes an element as a decimal only where that gives back its bits.
"""

from __future__ import annotations

import re
from typing import Any

import ml_dtypes
import numpy as np

Array = np.ndarray[Any, Any]

_FORM = re.compile(r"dense<(.*)> : tensor<((?:\d+x)*)bf16>", re.DOTALL)


def bf16_array(text: str) -> Array | None:
    """Read the text; None where it is of another form.

    >>> bf16_array("dense<[1.5, 0xFF80]> : tensor<2xbf16>").tolist()
    [1.5, -inf]
    """
    found = _FORM.fullmatch(text)
    if found is None or '"' in found[1]:
        return None
    shape = tuple(int(extent) for extent in found[2].split("x") if extent)
    words = found[1].replace("[", " ").replace("]", " ").replace(",", " ").split()
    flat = np.array([_bits(word) for word in words], np.uint16).view(ml_dtypes.bfloat16)
    return flat.reshape(shape) if found[1].startswith("[") else np.full(shape, *flat)


def _bits(word: str) -> int:
    if word.startswith("0x"):
        return int(word, 16)
    return int(np.asarray(float(word)).astype(ml_dtypes.bfloat16).view(np.uint16))
