"""Instruction selection: which strip primitive computes an elementwise op of a fusion body."""

from __future__ import annotations

from spindle.errors import UnsupportedError
from spindle.ir.graph import Op

_FLOAT_BINARY = {
    "add": "ADD_F32",
    "subtract": "SUB_F32",
    "multiply": "MUL_F32",
    "divide": "DIV_F32",
    "maximum": "MAX_F32",
    "minimum": "MIN_F32",
    "power": "POW_F32",
}
_FLOAT_UNARY = {
    "negate": "NEG_F32",
    "abs": "ABS_F32",
    "sign": "SIGN_F32",
    "floor": "FLOOR_F32",
    "ceil": "CEIL_F32",
    "sqrt": "SQRT_F32",
    "rsqrt": "RSQRT_F32",
    "exponential": "EXP_F32",
    "exponential_minus_one": "EXPM1_F32",
    "log": "LOG_F32",
    "log_plus_one": "LOG1P_F32",
    "tanh": "TANH_F32",
    "logistic": "LOGISTIC_F32",
    "is_finite": "IS_FINITE_F32",
}
_INT = {
    "add": "ADD_I32",
    "subtract": "SUB_I32",
    "multiply": "MUL_I32",
    "and": "AND_I32",
    "or": "OR_I32",
    "xor": "XOR_I32",
    "not": "NOT_I32",
    "negate": "NEG_I32",
    "shift_left": "SHL_I32",
    "shift_right_logical": "SHR_U32",
    "shift_right_arithmetic": "SHR_S32",
    "popcnt": "POPCNT_I32",
}
_SIGNED = {
    "maximum": "MAX_S32",
    "minimum": "MIN_S32",
    "divide": "DIV_S32",
    "remainder": "REM_S32",
    "abs": "ABS_S32",
    "sign": "SIGN_S32",
}
_UNSIGNED = {
    "maximum": "MAX_U32",
    "minimum": "MIN_U32",
    "divide": "DIV_U32",
    "remainder": "REM_U32",
    "abs": "COPY",
}
_BOOL = {
    "and": "AND_I32",
    "or": "OR_I32",
    "xor": "XOR_I32",
    "not": "NOT_BOOL",
    "add": "OR_I32",
    "multiply": "AND_I32",
    "maximum": "OR_I32",
    "minimum": "AND_I32",
}
ELEMENTWISE: dict[str, dict[str, str]] = {
    "f32": _FLOAT_BINARY | _FLOAT_UNARY,
    "i32": _INT | _SIGNED,
    "ui32": _INT | _UNSIGNED,
    "i1": _BOOL,
}
_COMPARE = {
    "f32": {"EQ": "EQ_F32", "NE": "NE_F32", "LT": "LT_F32", "LE": "LE_F32"},
    "i32": {"EQ": "EQ_I32", "NE": "NE_I32", "LT": "LT_S32", "LE": "LE_S32"},
    "ui32": {"EQ": "EQ_I32", "NE": "NE_I32", "LT": "LT_U32", "LE": "LE_U32"},
    "i1": {"EQ": "EQ_I32", "NE": "NE_I32", "LT": "LT_U32", "LE": "LE_U32"},
}
_SWAPPED = {"GT": "LT", "GE": "LE"}
_CONVERT = {
    ("f32", "i32"): "F32_TO_S32",
    ("f32", "ui32"): "F32_TO_U32",
    ("f32", "i1"): "F32_TO_BOOL",
    ("i32", "f32"): "S32_TO_F32",
    ("ui32", "f32"): "U32_TO_F32",
    ("i1", "f32"): "U32_TO_F32",
    ("i32", "i1"): "I32_TO_BOOL",
    ("ui32", "i1"): "I32_TO_BOOL",
}
_REDUCE = {
    "f32": {
        "add": "RED_ADD_F32",
        "multiply": "RED_MUL_F32",
        "maximum": "RED_MAX_F32",
        "minimum": "RED_MIN_F32",
    },
    "i32": {
        "add": "RED_ADD_I32",
        "multiply": "RED_MUL_I32",
        "maximum": "RED_MAX_S32",
        "minimum": "RED_MIN_S32",
        "and": "RED_AND_I32",
        "or": "RED_OR_I32",
    },
    "i1": {
        "and": "RED_AND_I32",
        "or": "RED_OR_I32",
        "add": "RED_OR_I32",
        "multiply": "RED_AND_I32",
        "maximum": "RED_OR_I32",
        "minimum": "RED_AND_I32",
    },
}
_REDUCE["ui32"] = _REDUCE["i32"] | {"maximum": "RED_MAX_U32", "minimum": "RED_MIN_U32"}

TREE_REDUCERS = ("RED_ADD_F32", "RED_MUL_F32")


def primitive(op: Op) -> tuple[str, bool]:
    """Name the primitive of an elementwise op, and whether its two sources are swapped.

    Raises UnsupportedError naming op, type and source line.
    """
    dtype = op.operands[0].dtype
    if op.kind == "compare":
        direction = op.attrs["direction"]
        return _COMPARE[dtype][_SWAPPED.get(direction, direction)], direction in _SWAPPED
    if op.kind == "select":
        return "SELECT", False
    if op.kind == "convert":
        return _CONVERT.get((dtype, op.result.dtype), "COPY"), False
    if op.kind in ("bitcast_convert", "reshape", "broadcast_in_dim"):
        return "COPY", False
    name = ELEMENTWISE[dtype].get(op.kind)
    if name is None:
        raise _unsupported(op, dtype)
    return name, False


def reducer(op: Op) -> str:
    """Name the reduce primitive of a `reduce` op. Raises UnsupportedError."""
    dtype = op.operands[0].dtype
    name = _REDUCE[dtype].get(op.attrs["reducer"])
    if name is None:
        raise _unsupported(op, dtype)
    return name


def _unsupported(op: Op, dtype: str) -> UnsupportedError:
    return UnsupportedError(
        f"{op.kind} on {dtype} is not supported yet",
        where=op.loc,
        fix="see docs/limits.md for what is; rewrite this line with supported operations",
    )
