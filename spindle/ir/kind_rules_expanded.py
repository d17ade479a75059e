"""The rules of the kinds that only a Module as ingested holds (docs/spec/module.md).

In: an op whose operands are known to be defined. Out: nothing, or BadOpError with the reason.
"""

from __future__ import annotations

from collections.abc import Callable

from spindle.ir.graph import Op, TensorType
from spindle.ir.kind_needs import need, need_axes, need_operands, need_result


def _case(op: Op) -> None:
    need(len(op.regions) > 0, "needs a region")
    need(op.operands[0].type == TensorType((), "i32"), "the index must be a scalar i32")
    taken = [value.type for value in op.operands[1:]]
    made = [value.type for value in op.results]
    for region in op.regions:
        need([v.type for v in region.params] == taken, "parameters differ from the operands")
        need([v.type for v in region.returns] == made, "returns differ from the results")


def _arg_reduce(op: Op) -> None:
    need_operands(op, 4)
    x, number, init, first = op.operands
    dims = op.attrs["dims"]
    need_axes(dims, len(x.shape), "dims")
    need(tuple(sorted(dims)) == dims, "dims must be sorted")
    need(op.attrs["reducer"] in ("maximum", "minimum"), f"reducer {op.attrs['reducer']!r}")
    need(number.shape == x.shape, f"the numbers have the shape {number.shape}")
    need(number.dtype in ("i32", "ui32"), f"the numbers are {number.dtype}")
    need(init.type == TensorType((), x.dtype), f"init is {init.type}")
    need(first.type == TensorType((), number.dtype), f"the init's number is {first.type}")
    kept = tuple(n for axis, n in enumerate(x.shape) if axis not in dims)
    need_result(op, kept, number.dtype)


EXPANDED_RULES: dict[str, Callable[[Op], None]] = {"case": _case, "arg_reduce": _arg_reduce}
"""Op kind -> its rule."""
