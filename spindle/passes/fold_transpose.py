"""fold_transpose: let dots read transposed operands and write transposed results themselves.

In: a Module after fix_numerics. Out: the Module without the transposes that a dot_general's axis
attributes can say. transpose(dot(A, B)) becomes dot(B, A) with numerics.swapped turned over,
because the balancing of docs/numerics.md 3 is not symmetric in its operands.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from spindle.ir.graph import DotNumerics, GivenNumerics, Module, Op, Region, Value
from spindle.ir.rewrite import Builder, drop_dead, rebuild, use_counts
from spindle.options import Options


def fold_transpose(module: Module, options: Options) -> Module:
    """Absorb transposes into dots. Needs nothing of the options."""
    return replace(module, body=drop_dead(_fold(module.body)))


def _fold(region: Region) -> Region:
    uses = use_counts(region)

    def visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
        if op.kind == "dot_general":
            return _with_plain_operands(builder, op)
        if op.kind == "transpose":
            return _turned_dot(builder, op, uses)
        if op.regions:
            builder.add(replace(op, regions=tuple(_fold(inner) for inner in op.regions)))
            return op.results
        return None

    # Inner regions are folded by `visit`, with their own use counts.
    return rebuild(region, visit)


def _with_plain_operands(builder: Builder, dot: Op) -> tuple[Value, ...] | None:
    """Read through the transposes that make the operands, where the axis order allows."""
    operands, attrs = list(dot.operands), dict(dot.attrs)
    for index, side in enumerate(("lhs", "rhs")):
        maker = builder.defs.get(operands[index])
        if maker is not None and maker.kind == "transpose":
            axes = _axes_before(maker, dot, side)
            if axes is not None:
                operands[index] = maker.operands[0]
                attrs[f"{side}_batch"], attrs[f"{side}_contract"] = axes
    if tuple(operands) == dot.operands:
        return None
    builder.add(replace(dot, operands=tuple(operands), attrs=attrs))
    return dot.results


def _axes_before(transpose: Op, dot: Op, side: str) -> tuple[tuple[int, ...], ...] | None:
    """Return the batch and contracted axes before the transpose; None if free axes change order."""
    order = transpose.attrs["permutation"]
    batch, contract = dot.attrs[f"{side}_batch"], dot.attrs[f"{side}_contract"]
    free = [order[axis] for axis in range(len(order)) if axis not in (*batch, *contract)]
    if free != sorted(free):
        return None
    return tuple(order[axis] for axis in batch), tuple(order[axis] for axis in contract)


def _turned_dot(builder: Builder, op: Op, uses: Counter[Value]) -> tuple[Value, ...] | None:
    """Make transpose(dot(A, B)) a dot(B, A), where the dot has no other use."""
    (source,) = op.operands
    dot = builder.defs.get(source)
    if dot is None or dot.kind != "dot_general" or uses[source] != 1:
        return None
    if isinstance(dot.attrs.get("numerics"), GivenNumerics):
        return None
    if op.attrs["permutation"] != _exchange(dot):
        return None
    attrs: dict[str, Any] = dict(dot.attrs)
    for axes in ("batch", "contract"):
        attrs[f"lhs_{axes}"], attrs[f"rhs_{axes}"] = attrs[f"rhs_{axes}"], attrs[f"lhs_{axes}"]
    numerics = attrs.get("numerics")
    if isinstance(numerics, DotNumerics):
        attrs["numerics"] = replace(numerics, swapped=not numerics.swapped)
    operands = (dot.operands[1], dot.operands[0])
    return (builder.emit("dot_general", operands, op.result.type, attrs, dot.loc or op.loc),)


def _exchange(dot: Op) -> tuple[int, ...]:
    """The permutation that puts the rhs's free axes of a dot's result before the lhs's."""
    n_batch = len(dot.attrs["lhs_batch"])
    n_lhs = len(dot.operands[0].shape) - n_batch - len(dot.attrs["lhs_contract"])
    rank = len(dot.result.shape)
    lhs, rhs = range(n_batch, n_batch + n_lhs), range(n_batch + n_lhs, rank)
    return (*range(n_batch), *rhs, *lhs)
