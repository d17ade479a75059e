"""Regions of control flow made closed: what they capture becomes parameters or is repeated.

In: the raw regions of a while, case, if or sort, whose ops may use values from outside
(canonicalize makes them do so). Out: a Module's Regions: constants are repeated inside, other
captured values become parameters after the region's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from spindle.frontends.jaxlib_adapter import RawOp, RawRegion
from spindle.frontends.scope import Scope, tensor_type
from spindle.ir.graph import Op, Region, Value

ConvertOps = Callable[[Scope, tuple[RawOp, ...]], None]


def _captured_values(regions: tuple[RawRegion, ...]) -> list[int]:
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


def split_captured(scope: Scope, raw: RawOp) -> tuple[list[int], list[int]]:
    """Return what an op's regions capture: (values to carry, constants and iotas to repeat)."""
    captured = [n for n in _captured_values(raw.regions) if n not in scope.doubles]
    repeated = [n for n in captured if _is_made_of_nothing(scope, scope.value(n, raw))]
    return [n for n in captured if n not in repeated], repeated


def _is_made_of_nothing(scope: Scope, value: Value) -> bool:
    definition = scope.defs.get(value)
    return definition is not None and definition.kind in ("constant", "iota")


def closed_region(
    outer: Scope,
    raw: RawRegion,
    carried: list[int],
    repeated: list[int],
    convert_ops: ConvertOps,
) -> Region:
    """Convert a region; `carried` values are its last parameters, `repeated` its first constants.

    `convert_ops` converts the ops of a region.
    """
    inner = Scope(outer.types, doubles=outer.doubles)
    for number in raw.params:
        inner.values[number] = Value(tensor_type(outer.types[number], "a region takes", ""))
    for number in carried:
        _carry(outer, inner, number)
    params = tuple(inner.values.values())
    for number in repeated:
        _repeat(outer, inner, number)
    convert_ops(inner, raw.ops)
    for number in raw.returns:
        inner.checked(number, "a region returns", "")
    returns = tuple(inner.lifted(number, "") for number in raw.returns)
    return _without_unused_constants(Region(params, tuple(inner.ops), returns))


def _carry(outer: Scope, inner: Scope, number: int) -> None:
    """Make a parameter of a captured value; it never changes, so its range holds inside."""
    value = outer.values[number]
    inner.values[number] = Value(value.type)
    if value in outer.ranges:
        inner.ranges[inner.values[number]] = outer.ranges[value]


def _repeat(outer: Scope, inner: Scope, number: int) -> None:
    """Copy a captured constant or iota into the region."""
    value = outer.values[number]
    made = outer.defs[value]
    copy = inner.append(Op(made.kind, (), (Value(value.type),), made.attrs, (), made.loc))
    inner.values[number] = copy.result
    if value in outer.ranges:
        inner.ranges[copy.result] = outer.ranges[value]


def _without_unused_constants(region: Region) -> Region:
    """Drop constants and iotas that only another region of the op reads."""
    used = {operand for op in region.ops for operand in op.operands} | set(region.returns)
    ops = tuple(op for op in region.ops if op.operands or op.regions or op.result in used)
    return Region(region.params, ops, region.returns)
