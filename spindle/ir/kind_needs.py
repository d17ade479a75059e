"""What the rules of the op kinds share: the error, and checks of operands, axes and results.

In: an op, or parts of it. Out: nothing, or BadOpError with the reason; verify.py adds the place.
"""

from __future__ import annotations

from spindle.ir.graph import Op, TensorType, Value


class BadOpError(Exception):
    """A rule that an op breaks; becomes an InternalError with the op's place."""


def need(condition: bool, reason: str) -> None:
    """Raise BadOpError with the reason unless the condition holds."""
    if not condition:
        raise BadOpError(reason)


def need_operands(op: Op, count: int) -> None:
    """Check the number of operands."""
    need(len(op.operands) == count, f"needs {count} operands, has {len(op.operands)}")


def need_same_types(values: tuple[Value, ...]) -> None:
    """Check that all values have the first one's type."""
    for value in values:
        need(value.type == values[0].type, f"{value.type} where {values[0].type} is needed")


def need_axes(axes: tuple[int, ...], rank: int, what: str) -> None:
    """Check a tuple of different axes of a tensor of `rank` axes."""
    need(isinstance(axes, tuple), f"{what} must be a tuple")
    need(all(0 <= axis < rank for axis in axes), f"{what} {axes} is outside rank {rank}")
    need(len(set(axes)) == len(axes), f"{what} {axes} names an axis twice")


def need_result(op: Op, shape: tuple[int, ...], dtype: str) -> None:
    """Check the type of the only result."""
    expected = TensorType(shape, dtype)
    need(op.result.type == expected, f"the result is {op.result.type}, must be {expected}")
