"""Element types by family, their widths and ranges.

In: names of element types, keys of graph.DTYPES. Out: sets of names, and numbers.
"""

from __future__ import annotations

from spindle.ir.graph import DTYPES, PAIRS

SMALL_FLOATS = frozenset({"bf16", "f16"})
FLOATS = SMALL_FLOATS | {"f32"}
SMALL_INTEGERS = frozenset({"i8", "i16", "ui8", "ui16"})
INTEGERS = SMALL_INTEGERS | PAIRS | {"i32", "ui32"}
SIGNED = frozenset({"i8", "i16", "i32", "i64"})


def bit_width(dtype: str) -> int:
    """Return the bits of an element; of i1 it is 1.

    >>> bit_width("bf16"), bit_width("i1")
    (16, 1)
    """
    return 1 if dtype == "i1" else DTYPES[dtype].itemsize * 8


def integer_range(dtype: str) -> tuple[int, int]:
    """Return the least and the largest value of an integer type; i1 counts as 0 and 1.

    >>> integer_range("i8"), integer_range("ui16")
    ((-128, 127), (0, 65535))
    """
    bits = bit_width(dtype)
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if dtype in SIGNED else (0, (1 << bits) - 1)
