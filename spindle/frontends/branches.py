"""`case` and `if`: one op of closed regions, whose parameters are what the branches capture.

In: a raw stablehlo.case or stablehlo.if. Out: a Module's case op (docs/spec/module.md): its index,
then every value that any branch reads; constants are repeated inside the branches.
"""

from __future__ import annotations

from spindle.frontends.jaxlib_adapter import RawOp
from spindle.frontends.regions import ConvertOps, closed_region, split_captured
from spindle.frontends.scope import Scope
from spindle.ir.graph import Op, TensorType, Value


def convert_case(scope: Scope, raw: RawOp, convert_ops: ConvertOps) -> None:
    """Append the case op; `convert_ops` converts the ops of a region."""
    carried, repeated = split_captured(scope, raw)
    branches = raw.regions[::-1] if raw.name == "stablehlo.if" else raw.regions
    regions = tuple(closed_region(scope, r, carried, repeated, convert_ops) for r in branches)
    operands = (_index(scope, raw), *(scope.value(n, raw) for n in carried))
    results = tuple(Value(value.type) for value in regions[0].returns)
    scope.append(Op("case", operands, results, {}, regions, raw.loc))
    scope.values.update(zip(raw.results, results, strict=True))


def _index(scope: Scope, raw: RawOp) -> Value:
    """Return the number of the branch: an i32; of an `if`, 0 for false and 1 for true."""
    (index,) = scope.operands(raw)
    if index.dtype == "i32":
        return index
    return scope.emit(raw, "convert", (index,), TensorType((), "i32"))
