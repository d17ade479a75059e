"""Constants of bf16 from their text, as jaxlib gives no array of them.

In: the text of an MLIR attribute: elements, "dense<[1.5, 0x7FC1]> : tensor<2xbf16>", one for all,
"dense<1.0> : ...", or the bytes of many, 'dense<"0x803FC17F"> : ...'. Out: an array. MLIR writes an
element as a decimal only where that gives back its bits.
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
    if found is None:
        return None
    shape = tuple(int(extent) for extent in found[2].split("x") if extent)
    flat = _words(found[1]).view(ml_dtypes.bfloat16)
    return np.broadcast_to(flat.reshape(()), shape) if flat.size == 1 else flat.reshape(shape)


def _words(data: str) -> Array:
    if data.startswith('"0x'):
        return np.frombuffer(bytes.fromhex(data[3:-1]), "<u2")
    words = data.replace("[", " ").replace("]", " ").replace(",", " ").split()
    return np.array([_bits(word) for word in words], np.uint16)


def _bits(word: str) -> int:
    if word.startswith("0x"):
        return int(word, 16)
    return int(np.asarray(float(word)).astype(ml_dtypes.bfloat16).view(np.uint16))
