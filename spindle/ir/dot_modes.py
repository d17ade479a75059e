"""How a float dot or convolution is computed: who decides the mode, and what the modes are.

In: an op, Options. Out: its DotNumerics or ConvNumerics. The evaluator and fix_numerics both ask
here. Follows docs/numerics.md 3.
"""

from __future__ import annotations

from typing import Any

from spindle.ir.convolution import form
from spindle.ir.graph import ConvNumerics, DotNumerics, Op
from spindle.options import Options

MODE_OF_PRECISION = {"HIGH": "bfp16", "HIGHEST": "bfp28", "float32": "float32"}
"""DEFAULT is what the options say."""

WHOLE_ROWS = {"bfp16": 16, "bfp13": 13}
"""Bits of a mantissa in the modes that do not balance and have one exponent and one sum a row."""


def dot_numerics(op: Op, options: Options) -> DotNumerics:
    """How a float32 dot_general is computed: its `numerics`, else its precision, else options."""
    found: DotNumerics | None = op.attrs.get("numerics")
    return found if found is not None else of_mode(_mode(op, options))


def conv_numerics(op: Op, options: Options) -> ConvNumerics:
    """How a convolution is computed: its `numerics`, else its precision and axes, else options."""
    found: ConvNumerics | None = op.attrs.get("numerics")
    mode = _mode(op, options)
    return found if found is not None else ConvNumerics(mode, form(op), **_shape(mode))


def of_mode(mode: str) -> DotNumerics:
    """Return the DotNumerics of a mode.

    >>> of_mode("bfp13")
    DotNumerics(mode='bfp13', mantissa=13, k_block=0, swapped=False)
    """
    return DotNumerics(mode, **_shape(mode))


def _mode(op: Op, options: Options) -> str:
    return MODE_OF_PRECISION.get(op.attrs.get("precision", "DEFAULT"), options.matmul)


def _shape(mode: str) -> dict[str, Any]:
    return {"mantissa": WHOLE_ROWS[mode], "k_block": 0} if mode in WHOLE_ROWS else {}
