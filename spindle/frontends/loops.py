"""`while` loops: captured values become carried ones, counted loops get their trip count.

In: a raw stablehlo.while, whose regions may use values from outside (canonicalize makes them do
so). Out: a Module's while op, which carries all it reads: constants are repeated inside the
regions, other captured values are carried unchanged after the original ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from spindle.frontends.jaxlib_adapter import RawOp, RawRegion
from spindle.frontends.scope import WIDE, Scope, tensor_type
from spindle.ir.graph import Op, Region, Value

ConvertOps = Callable[[Scope, tuple[RawOp, ...]], None]


def convert_while(scope: Scope, raw: RawOp, convert_ops: ConvertOps) -> None:
    """Append the while op; `convert_ops` converts the ops of a region."""
    captured = _captured(raw.regions)
    repeated = [n for n in captured if _is_constant(scope, scope.value(n, raw))]
    carried = [n for n in captured if n not in repeated]
    operands = (*raw.operands, *carried)
    for number in raw.operands:
        _refuse_wide(scope, raw, number)
    cond, body = (_region(scope, r, carried, repeated, convert_ops) for r in raw.regions)
    body = Region(body.params, body.ops, body.returns + body.params[len(raw.operands) :])
    values = tuple(scope.value(n, raw) for n in operands)
    results = tuple(Value(value.type) for value in values)
    attrs = {"trip_count": trip_count(values, cond, body, scope.defs)}
    scope.append(Op("while", values, results, attrs, (cond, body), raw.loc))
    scope.values.update(zip(raw.results, results, strict=False))


def _refuse_wide(scope: Scope, raw: RawOp, number: int) -> None:
    """A 64-bit value that changes has no known range, so there is no safe 32-bit form."""
    if scope.types[number].dtype in WIDE:
        tensor_type(scope.types[number], f"{raw.name} carries", raw.loc)


def _captured(regions: tuple[RawRegion, ...]) -> list[int]:
    """List value numbers used inside but defined outside, each once, in order of use."""
    defined: set[int] = set()
    used: dict[int, None] = {}
    for region in regions:
        for numbers, is_use in _events(region):
            if is_use:
                used.update((n, None) for n in numbers if n not in defined)
            else:
                defined.update(numbers)
    return list(used)


def _events(region: RawRegion) -> Iterator[tuple[tuple[int, ...], bool]]:
    """Yield (value numbers, used rather than defined) in program order."""
    yield region.params, False
    for op in region.ops:
        yield op.operands, True
        for inner in op.regions:
            yield from _events(inner)
        yield op.results, False
    yield region.returns, True


def _is_constant(scope: Scope, value: Value) -> bool:
    definition = scope.defs.get(value)
    return definition is not None and definition.kind == "constant"


def _region(
    outer: Scope,
    raw: RawRegion,
    carried: list[int],
    repeated: list[int],
    convert_ops: ConvertOps,
) -> Region:
    inner = Scope(outer.types)
    for number in raw.params:
        inner.values[number] = Value(tensor_type(outer.types[number], "a loop carries", ""))
    for number in carried:
        _carry(outer, inner, number)
    params = tuple(inner.values.values())
    for number in repeated:
        _repeat(outer, inner, number)
    convert_ops(inner, raw.ops)
    returns = tuple(inner.values[number] for number in raw.returns)
    return _without_unused_constants(Region(params, tuple(inner.ops), returns))


def _carry(outer: Scope, inner: Scope, number: int) -> None:
    """Make a parameter of a captured value; it never changes, so its range holds inside."""
    value = outer.values[number]
    inner.values[number] = Value(value.type)
    if value in outer.ranges:
        inner.ranges[inner.values[number]] = outer.ranges[value]


def _repeat(outer: Scope, inner: Scope, number: int) -> None:
    """Copy a captured constant into the region."""
    value = outer.values[number]
    attrs, loc = outer.defs[value].attrs, outer.defs[value].loc
    copy = inner.append(Op("constant", (), (Value(value.type),), attrs, (), loc))
    inner.values[number] = copy.result
    if value in outer.ranges:
        inner.ranges[copy.result] = outer.ranges[value]


def _without_unused_constants(region: Region) -> Region:
    """Drop constants that only the other region of the loop reads."""
    used = {operand for op in region.ops for operand in op.operands} | set(region.returns)
    ops = tuple(op for op in region.ops if op.kind != "constant" or op.result in used)
    return Region(region.params, ops, region.returns)


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
    top = {"i32": 2**31 - 1, "ui32": 2**32 - 1}.get(dtype, -1)
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
    if definition is None or definition.kind != "constant" or value.shape or value.dtype == "f32":
        return None
    return int(definition.attrs["value"])
