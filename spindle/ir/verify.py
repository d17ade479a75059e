"""Checks that a Module obeys docs/spec/module.md: types, shapes, order, and each kind's rules.

In: a Module. Out: nothing, or InternalError that names the op, its place and the reason.
`verify` holds for every Module; `verify_lowered` adds what the passes promise to schedule/.
"""

from __future__ import annotations

from typing import Any

from spindle.errors import InternalError
from spindle.ir.graph import DTYPES, Module, Op, Region, Value
from spindle.ir.held import HELD
from spindle.ir.kind_needs import BadOpError, need
from spindle.ir.kind_rules import RULES
from spindle.ir.kinds import ELEMENTWISE, STRUCTURAL, WITH_RESULTS
from spindle.ir.rewrite import splat_value


def verify(module: Module) -> None:
    """Check a Module. Raises InternalError: which op, where, which rule."""
    _check_module(module)
    _check_region(module.body)


def verify_lowered(module: Module) -> None:
    """Check a Module as it leaves the passes: `verify`, known numerics, fusions and data moves."""
    verify(module)
    _check_lowered(module.body)


def _check_module(module: Module) -> None:
    body = module.body
    for names, values, what in (
        (module.param_names, body.params, "param_names"),
        (module.result_names, body.returns, "result_names"),
    ):
        if names and len(names) != len(values):
            raise InternalError(f"module {module.name}: {what} has {len(names)} of {len(values)}")
    for result, param in module.donated.items():
        if not (0 <= result < len(body.returns) and 0 <= param < len(body.params)):
            raise InternalError(f"module {module.name}: donated {result}: {param} does not exist")
        if body.returns[result].type != body.params[param].type:
            raise InternalError(f"module {module.name}: donated {result}: {param} differ in type")
    if len(set(module.donated.values())) != len(module.donated):
        raise InternalError(f"module {module.name}: one parameter is donated twice")


def _check_region(region: Region) -> None:
    known: set[Value] = set()
    _define(known, region.params, "a parameter")
    for op in region.ops:
        try:
            _check_op(op, known)
        except BadOpError as reason:
            raise _error(op, str(reason)) from None
        for inner in op.regions:
            _check_region(inner)
    for value in region.returns:
        if value not in known:
            raise InternalError(f"a region returns %{value.name}, which is not defined in it")


def _error(op: Op, reason: str) -> InternalError:
    names = ", ".join(f"%{value.name}" for value in op.results)
    types = ", ".join(str(value.type) for value in op.operands)
    place = f" ({op.loc})" if op.loc else ""
    return InternalError(f"{names} = {op.kind}({types}){place}: {reason}")


def _define(known: set[Value], values: tuple[Value, ...], what: str) -> None:
    for value in values:
        if value.dtype not in DTYPES or any(n < 0 for n in value.shape):
            raise InternalError(f"{what} has the type {value.type}, which no Module may hold")
        if value in known:
            raise InternalError(f"{what}, %{value.name}, is defined twice")
        known.add(value)


def _check_op(op: Op, known: set[Value]) -> None:
    for value in op.operands:
        need(value in known, f"operand %{value.name} is not defined before it in its region")
    _define(known, op.results, f"a result of {op.kind}")
    need(op.kind in RULES, "unknown kind")
    need(op.kind in WITH_RESULTS or len(op.results) == 1, "needs one result")
    try:
        RULES[op.kind](op)
    except KeyError as missing:
        raise BadOpError(f"attribute {missing} is missing") from None


# After the passes


def _check_lowered(region: Region) -> None:
    for op in region.ops:
        if op.kind != "words" and any(value.dtype in HELD for value in op.results):
            raise _error(op, "makes a type that no kernel knows")
        if op.kind == "fusion":
            _check_fusion(op)
        elif op.kind not in STRUCTURAL:
            raise _error(op, "stands outside a fusion after the passes")
        else:
            for inner in op.regions:
                _check_lowered(inner)


def _check_fusion(fusion: Op) -> None:
    stage, tail_dims = 0, None
    for op in fusion.regions[0].ops:
        try:
            order = _STAGES.get(op.kind, 1 if op.kind in ELEMENTWISE else 3)
            need(order < 3, "may not stand in a fusion")
            need(order >= stage or op.kind == "constant", "stands after a later part of its fusion")
            stage = max(stage, 1 if op.kind == "dot_general" else order)
            _check_fused(op, fusion)
            if op.kind == "reduce":
                need(tail_dims in (None, op.attrs["dims"]), "reduces over other axes")
                tail_dims = op.attrs["dims"]
        except BadOpError as reason:
            raise _error(op, f"in the fusion of %{fusion.results[0].name}: {reason}") from None


_STAGES = {"dot_general": 0, "constant": 0, "iota": 1, "broadcast_in_dim": 1, "reduce": 2}


def _check_fused(op: Op, fusion: Op) -> None:
    """Check one op of a fusion's body against the grammar."""
    space: Any = fusion.attrs["space"]
    body = fusion.regions[0]
    if op.kind == "constant":
        need(splat_value(op) is not None, "a constant in a fusion has one value everywhere")
    elif op.kind == "reduce":
        _check_tail(op, space, body)
    else:
        need(op.result.shape == space, f"{op.result.shape} differs from the space {space}")
    if op.kind == "dot_general":
        need(all(v in body.params for v in op.operands), "a head reads only parameters")
        need("numerics" in op.attrs or op.result.dtype != "f32", "numerics are not fixed")
    if op.kind == "broadcast_in_dim":
        need(op.operands[0] in body.params, "a broadcast reads only a parameter")
        need(tuple(sorted(op.attrs["dims"])) == op.attrs["dims"], "dims must be sorted")


def _check_tail(op: Op, space: tuple[int, ...], body: Region) -> None:
    dims = op.attrs["dims"]
    need(op.operands[0].shape == space, f"reduces another shape than the space {space}")
    need(bool(dims), "dims is empty")
    need(dims == tuple(range(dims[0], dims[0] + len(dims))), "dims are not contiguous")
    inits = [other for other in body.ops if other.results == (op.operands[1],)]
    need(bool(inits) and inits[0].kind == "constant", "init is no constant of the fusion")
    floats = op.result.dtype == "f32" and op.attrs["reducer"] in ("add", "multiply")
    need("numerics" in op.attrs or not floats, "numerics are not fixed")
