"""hold_types: compute with the four types of the kernels; every other one becomes its words.

In: a Module. Out: the Module whose ops know f32, i32, ui32 and i1 alone; a parameter or result of
another type (ir/held.py) stays one, behind a `words`, which costs nothing. 64-bit values become two
inside, lower and upper words.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.graph import PAIRS, Module, Op, Region, TensorType, Value, walk
from spindle.ir.held import HELD, words_type
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter
from spindle.passes.hold_pairs import pair
from spindle.passes.hold_small import small

Parts = tuple[Value, ...]
Env = dict[Value, Parts]
"""What stands for each old value: one value, or lower and upper words."""


def hold_types(module: Module, options: Options) -> Module:
    """Rewrite the Module. Raises UnsupportedError for what 64-bit integers cannot do.

    Needs nothing of the options.
    """
    body = module.body
    made = (value for op in walk(body) for value in op.results)
    if all(value.dtype not in HELD for value in (*body.params, *made)):
        return module
    emit = Emitter(Builder(), "")
    env = {value: _taken(emit, value) for value in body.params}
    for op in body.ops:
        _convert(emit.builder, op, env)
    returns = tuple(_given(emit, value, env[value]) for value in body.returns)
    return replace(module, body=Region(body.params, tuple(emit.builder.ops), returns))


def _taken(emit: Emitter, value: Value) -> Parts:
    """Return what stands for a parameter."""
    if value.dtype not in HELD:
        return (value,)
    words = emit.builder.emit("words", (value,), words_type(value.type), loc=emit.loc)
    if value.dtype not in PAIRS:
        return (words,)
    return tuple(emit.reshape(emit.cut(words, 0, k, k + 1), value.shape) for k in (0, 1))


def _given(emit: Emitter, value: Value, parts: Parts) -> Value:
    """Return a result in its own type."""
    if value.dtype not in HELD:
        return parts[0]
    if value.dtype in PAIRS:
        rows = [emit.reshape(part, (1, *part.shape)) for part in parts]
        parts = (emit.concatenate(rows, 0),)
    return emit.builder.emit("words", parts, value.type, loc=emit.loc)


def _convert(builder: Builder, op: Op, env: Env) -> None:
    """Append what stands for an op."""
    operands = [env[value] for value in op.operands]
    values = (*op.operands, *op.results)
    if op.kind in ("while", "case"):
        made = _control(builder, op, operands)
    elif any(value.dtype in PAIRS for value in values):
        made = pair(Emitter(builder, op.loc), op, operands)
    elif any(value.dtype in HELD for value in values):
        words = small(Emitter(builder, op.loc), op, _flat(operands))
        made = [(word,) for word in words]
    else:
        builder.add(replace(op, operands=_flat(operands)))
        made = [(value,) for value in op.results]
    env.update(zip(op.results, made, strict=True))


def _control(builder: Builder, op: Op, operands: list[Parts]) -> list[Parts]:
    regions = tuple(_region(region) for region in op.regions)
    results = [_fresh(value) for value in op.results]
    new = replace(op, operands=_flat(operands), results=_flat(results), regions=regions)
    builder.add(new)
    return results


def _region(region: Region) -> Region:
    builder, env = Builder(), {value: _fresh(value) for value in region.params}
    params = _flat(list(env.values()))
    for op in region.ops:
        _convert(builder, op, env)
    return Region(params, tuple(builder.ops), _flat([env[value] for value in region.returns]))


def _fresh(value: Value) -> Parts:
    """Return values of the words' types; the value itself where it is no held one."""
    if value.dtype not in HELD:
        return (value,)
    words = words_type(value.type)
    if value.dtype not in PAIRS:
        return (Value(words),)
    return tuple(Value(TensorType(value.shape, words.dtype)) for _ in (0, 1))


def _flat(parts: list[Parts]) -> Parts:
    return tuple(value for some in parts for value in some)
