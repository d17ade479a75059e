"""simplify: fold constants, share equal ops, drop dead ones, take out identities and moves.

In: any Module. Out: a smaller Module with the same bits for every input (docs/numerics.md).
The rules are in fold.py (constants), identities.py (algebra), shapes.py (shapes); here is the
loop over them, with common subexpressions and dead code.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

from spindle.errors import InternalError
from spindle.ir.graph import Module, Op, Value
from spindle.ir.rewrite import Builder, drop_dead, rebuild, splat_value
from spindle.options import Options
from spindle.passes.fold import fold
from spindle.passes.identities import identity
from spindle.passes.shapes import reshaped

MAX_ROUNDS = 200
"""Rounds after which rules that undo each other must be the reason."""

_RULES: tuple[Callable[[Builder, Op], Value | None], ...] = (fold, identity, reshaped)


def simplify(module: Module, options: Options) -> Module:
    """Apply the rules until none applies. Needs nothing of the options."""
    body = drop_dead(module.body)
    for _ in range(MAX_ROUNDS):
        visit = _Round()
        body = drop_dead(rebuild(body, visit))
        if not visit.changes:
            return replace(module, body=body)
    raise InternalError(f"simplify: rules of module {module.name} do not come to rest")


class _Round:
    """One walk over the Module: the first rule that fits, else an equal earlier op."""

    def __init__(self) -> None:
        self.changes = 0
        self._seen: dict[Builder, dict[Hashable, Op]] = {}

    def __call__(self, builder: Builder, op: Op) -> tuple[Value, ...] | None:
        if op.kind == "while":
            return _unchanged_from_before(builder, op)
        for rule in _RULES:
            value = rule(builder, op)
            if value is not None:
                self.changes += 1
                return (value,)
        return self._shared(builder, op)

    def _shared(self, builder: Builder, op: Op) -> tuple[Value, ...] | None:
        if op.regions:
            return None
        first = self._seen.setdefault(builder, {}).setdefault(_key(op), op)
        if first is op:
            return None
        self.changes += 1
        return first.results


def _unchanged_from_before(builder: Builder, op: Op) -> tuple[Value, ...]:
    """Keep a loop, but read what it carries unchanged from before it."""
    builder.add(op)
    body = op.regions[1]
    carried = zip(op.operands, op.results, body.params, body.returns, strict=True)
    return tuple(first if back is param else last for first, last, param, back in carried)


def _key(op: Op) -> Hashable:
    """Two ops with equal keys compute the same bits."""
    types = tuple(value.type for value in op.results)
    if op.kind == "constant":
        splat = splat_value(op)
        array = op.attrs["value"] if splat is None else splat
        return "constant", types, splat is None, array.tobytes()
    return op.kind, op.operands, types, tuple(sorted(op.attrs.items(), key=lambda item: item[0]))
