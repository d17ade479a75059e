"""`while` loops: captured values become carried ones, counted loops get their trip count.

In: a raw stablehlo.while. Out: a Module's while op, which carries all it reads (regions.py): other
captured values than constants are carried unchanged after the original ones.
"""

from __future__ import annotations

from typing import Any

from spindle.frontends.jaxlib_adapter import RawOp
from spindle.frontends.regions import ConvertOps, closed_region, split_captured
from spindle.frontends.scope import Scope
from spindle.ir.dtypes import FLOATS, integer_range
from spindle.ir.graph import Op, Region, Value


def convert_while(scope: Scope, raw: RawOp, convert_ops: ConvertOps) -> None:
    """Append the while op; `convert_ops` converts the ops of a region."""
    carried, repeated = split_captured(scope, raw)
    operands = (*raw.operands, *carried)
    cond, body = (closed_region(scope, r, carried, repeated, convert_ops) for r in raw.regions)
    body = Region(body.params, body.ops, body.returns + body.params[len(raw.operands) :])
    for number in operands:
        scope.value(number, raw)
    values = (
        *(scope.lifted(n, raw.loc) for n in raw.operands),
        *(scope.values[n] for n in carried),
    )
    results = tuple(Value(value.type) for value in values)
    attrs = {"trip_count": trip_count(values, cond, body, scope.defs)}
    scope.append(Op("while", values, results, attrs, (cond, body), raw.loc))
    scope.values.update(zip(raw.results, results, strict=False))


def trip_count(
    initial: tuple[Value, ...], cond: Region, body: Region, defs: dict[Value, Op]
) -> int | None:
    """Return how often a loop runs, where it counts a constant start up to a constant limit.

    Recognised: cond is `counter < limit` (or <=), body adds a positive constant to the counter.
    """
    inside = {result: op for op in cond.ops for result in op.results}
    test = inside.get(cond.returns[0])
    if test is None or test.kind != "compare" or test.attrs["direction"] not in ("LT", "LE"):
        return None
    counter, limit = test.operands[0], _scalar(test.operands[1], inside)
    if counter not in cond.params:
        return None
    index = cond.params.index(counter)
    start, step = _scalar(initial[index], defs), _step(body, index)
    if start is None or step is None or limit is None or step <= 0:
        return None
    last = limit if test.attrs["direction"] == "LT" else limit + 1
    return _count(start, last, step, counter.dtype)


def _count(start: int, last: int, step: int, dtype: str) -> int | None:
    """Count start, start+step, ... below last; None where the counter would wrap around."""
    trips = max(0, -((start - last) // step))
    top = integer_range(dtype)[1]
    return trips if start + trips * step <= top else None


def _step(body: Region, index: int) -> int | None:
    """Return the constant that the body adds to parameter `index`."""
    inside = {result: op for op in body.ops for result in op.results}
    update = inside.get(body.returns[index])
    if update is None or update.kind != "add":
        return None
    lhs, rhs = update.operands
    if lhs is body.params[index]:
        return _scalar(rhs, inside)
    return _scalar(lhs, inside) if rhs is body.params[index] else None


def _scalar(value: Value, defs: dict[Value, Op]) -> int | None:
    """Return the integer of a scalar constant."""
    definition: Any = defs.get(value)
    if definition is None or definition.kind != "constant" or value.shape:
        return None
    if value.dtype in FLOATS:
        return None
    return int(definition.attrs["value"])
