"""The rules of the kinds that only a Module as ingested holds (docs/spec/module.md).

In: an op whose operands are known to be defined. Out: nothing, or BadOpError with the reason.
"""

from __future__ import annotations

from collections.abc import Callable

from spindle.ir.graph import Op, TensorType
from spindle.ir.kind_needs import need


def _case(op: Op) -> None:
    need(len(op.regions) > 0, "needs a region")
    need(op.operands[0].type == TensorType((), "i32"), "the index must be a scalar i32")
    taken = [value.type for value in op.operands[1:]]
    made = [value.type for value in op.results]
    for region in op.regions:
        need([v.type for v in region.params] == taken, "parameters differ from the operands")
        need([v.type for v in region.returns] == made, "returns differ from the results")


EXPANDED_RULES: dict[str, Callable[[Op], None]] = {"case": _case}
"""Op kind -> its rule."""
