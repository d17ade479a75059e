"""Op kinds by family: the sets that the verifier and the passes share (docs/spec/module.md).

In: nothing. Out: frozen sets of kind names, and the neutral element of every reducer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spindle.ir.dtypes import FLOATS, integer_range

BINARY = frozenset(
    {
        "add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "remainder",
        "atan2", "and", "or", "xor", "shift_left", "shift_right_logical",
        "shift_right_arithmetic",
    }
)  # fmt: skip
UNARY = frozenset(
    {
        "negate", "abs", "sign", "sqrt", "rsqrt", "exponential", "exponential_minus_one", "log",
        "log_plus_one", "tanh", "logistic", "floor", "ceil", "not", "is_finite", "popcnt",
        "sine", "cosine", "tan", "cbrt", "round_nearest_even", "round_nearest_afz",
        "count_leading_zeros", "erf", "erfc",
    }
)  # fmt: skip
TYPE_CHANGING = frozenset({"convert", "bitcast_convert"})
ELEMENTWISE = BINARY | UNARY | TYPE_CHANGING | {"compare", "select", "clamp"}
FLOAT_ONLY = frozenset(
    {
        "atan2", "sqrt", "rsqrt", "exponential", "exponential_minus_one", "log", "log_plus_one",
        "tanh", "logistic", "floor", "ceil", "is_finite", "sine", "cosine", "tan", "cbrt",
        "round_nearest_even", "round_nearest_afz", "erf", "erfc",
    }
)  # fmt: skip
INTEGER_ONLY = frozenset(
    {
        "shift_left", "shift_right_logical", "shift_right_arithmetic", "popcnt",
        "count_leading_zeros",
    }
)  # fmt: skip
BITWISE = frozenset({"and", "or", "xor", "not"})
STRUCTURAL = frozenset(
    {
        "constant", "reshape", "transpose", "slice", "strided", "dynamic_slice",
        "dynamic_update_slice", "concatenate", "while", "words",
    }
)  # fmt: skip
"""Kinds that stay on the top level, beside fusions, after the passes."""
EXPANDED = frozenset(
    {
        "case", "arg_reduce", "pad", "reduce_window", "select_and_scatter", "reverse", "gather",
        "scatter", "sort", "rng_bit_generator",
        "cholesky", "triangular_solve", "reduce_precision",
    }
)  # fmt: skip
"""Kinds that the expand passes write with the others; none is left after them."""
WITH_RESULTS = frozenset({"while", "fusion", "case", "sort", "rng_bit_generator"})
"""Kinds with any number of results."""
REDUCERS = frozenset({"add", "multiply", "maximum", "minimum", "and", "or"})
WINDOW_REDUCERS = REDUCERS | {"xor"}
"""Reducers of windows and scattered updates, which need no kernel of their own."""
DIRECTIONS = frozenset({"EQ", "NE", "LT", "LE", "GT", "GE"})
PRECISIONS = frozenset({"DEFAULT", "HIGH", "HIGHEST", "float32"})


_ROUNDED = {"reduce_window", "select_and_scatter", "scatter", "cholesky", "triangular_solve"}
_EXACT = (STRUCTURAL | EXPANDED) - _ROUNDED - {"reduce_precision"} | {
    "broadcast_in_dim", "select", "negate", "abs", "sign", "maximum", "minimum", "clamp", "floor",
    "ceil", "round_nearest_even", "round_nearest_afz", "remainder",
}  # fmt: skip


def is_exact(kind: str, attrs: Mapping[str, Any]) -> bool:
    """Whether an op on a small float type makes values of that type: nothing is to be rounded."""
    return kind in _EXACT or attrs.get("reducer") in ("maximum", "minimum", "update")


def neutral(reducer: str, dtype: str) -> Any:
    """Return the value n with `n (reducer) x` == x for every x that is no NaN.

    >>> neutral("add", "f32"), neutral("maximum", "i32")
    (-0.0, -2147483648)
    """
    if dtype in FLOATS:
        return {"add": -0.0, "multiply": 1.0, "maximum": -np.inf, "minimum": np.inf}[reducer]
    low, high = integer_range(dtype)
    ones = -1 if low else high
    table = {"multiply": 1, "maximum": low, "minimum": high, "and": ones}
    return table.get(reducer, 0)
