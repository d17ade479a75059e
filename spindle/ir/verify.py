"""Checks that a Module obeys docs/spec/module.md: types, shapes, order, and each kind's rules.

In: a Module. Out: nothing, or InternalError that names the op, its place and the reason.
`verify` holds for every Module; `verify_lowered` adds what the passes promise to schedule/.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from spindle.errors import InternalError
from spindle.ir.graph import DTYPES, Module, Op, Region, TensorType, Value
from spindle.ir.kinds import (
    BINARY,
    BITWISE,
    DIRECTIONS,
    ELEMENTWISE,
    FLOAT_ONLY,
    INTEGER_ONLY,
    PRECISIONS,
    REDUCERS,
    STRUCTURAL,
    UNARY,
)
from spindle.ir.rewrite import splat_value


class _BadOpError(Exception):
    """A rule that an op breaks; becomes an InternalError with the op's place."""


def verify(module: Module) -> None:
    """Check a Module. Raises InternalError: which op, where, which rule."""
    _check_module(module)
    _check_region(module.body)


def verify_lowered(module: Module) -> None:
    """Check a Module as it leaves the passes: `verify`, known numerics, fusions and data moves."""
    verify(module)
    _check_lowered(module.body)


def _need(condition: bool, reason: str) -> None:
    if not condition:
        raise _BadOpError(reason)


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
        except _BadOpError as reason:
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
        _need(value in known, f"operand %{value.name} is not defined before it in its region")
    _define(known, op.results, f"a result of {op.kind}")
    _need(op.kind in _RULES, "unknown kind")
    _need(op.kind in ("while", "fusion") or len(op.results) == 1, "needs one result")
    try:
        _RULES[op.kind](op)
    except KeyError as missing:
        raise _BadOpError(f"attribute {missing} is missing") from None


def _operands(op: Op, count: int) -> None:
    _need(len(op.operands) == count, f"needs {count} operands, has {len(op.operands)}")


def _same_types(op: Op, values: tuple[Value, ...]) -> None:
    for value in values:
        _need(value.type == values[0].type, f"{value.type} where {values[0].type} is needed")


# Elementwise kinds


def _arithmetic(op: Op) -> None:
    _operands(op, 2 if op.kind in BINARY else 1)
    result = op.result
    dtype = op.operands[0].dtype
    if op.kind == "is_finite":
        _need(result.type == TensorType(op.operands[0].shape, "i1"), "the result must be i1")
    else:
        _same_types(op, (*op.operands, result))
    _need(op.kind not in FLOAT_ONLY or dtype == "f32", f"{dtype} where f32 is needed")
    _need(op.kind not in INTEGER_ONLY or dtype in ("i32", "ui32"), f"{dtype} is no integer")
    _need(op.kind not in BITWISE or dtype != "f32", "f32 has no bitwise ops")


def _compare(op: Op) -> None:
    _operands(op, 2)
    _same_types(op, op.operands)
    _need(op.attrs["direction"] in DIRECTIONS, f"direction {op.attrs['direction']!r}")
    _need(op.result.type == TensorType(op.operands[0].shape, "i1"), "the result must be i1")


def _select(op: Op) -> None:
    _operands(op, 3)
    _same_types(op, (op.result, *op.operands[1:]))
    _need(op.operands[0].type == TensorType(op.result.shape, "i1"), "pred must be i1, full shape")


def _clamp(op: Op) -> None:
    _operands(op, 3)
    _same_types(op, (op.result, *op.operands))


def _convert(op: Op) -> None:
    _operands(op, 1)
    _need(op.operands[0].shape == op.result.shape, "the shape must stay")


def _constant(op: Op) -> None:
    _operands(op, 0)
    value = op.attrs["value"]
    _need(isinstance(value, np.ndarray), "value must be an ndarray")
    _need(value.shape == op.result.shape, f"value has the shape {value.shape}")
    _need(value.dtype == DTYPES[op.result.dtype], f"value has the type {value.dtype}")


def _iota(op: Op) -> None:
    _operands(op, 0)
    _need(0 <= op.attrs["dim"] < len(op.result.shape), f"dim {op.attrs['dim']} does not exist")


# Kinds that move data


def _reshape(op: Op) -> None:
    _operands(op, 1)
    source, result = op.operands[0], op.result
    _need(source.dtype == result.dtype, "the element type must stay")
    _need(source.type.size == result.type.size, "the number of elements must stay")


def _broadcast(op: Op) -> None:
    _operands(op, 1)
    source, result, dims = op.operands[0], op.result, op.attrs["dims"]
    _need(source.dtype == result.dtype, "the element type must stay")
    _need(len(dims) == len(source.shape), "dims needs one entry per operand axis")
    _axes(dims, len(result.shape), "dims")
    for extent, axis in zip(source.shape, dims, strict=True):
        _need(extent in (1, result.shape[axis]), f"extent {extent} does not fit axis {axis}")


def _axes(axes: tuple[int, ...], rank: int, what: str) -> None:
    _need(isinstance(axes, tuple), f"{what} must be a tuple")
    _need(all(0 <= axis < rank for axis in axes), f"{what} {axes} is outside rank {rank}")
    _need(len(set(axes)) == len(axes), f"{what} {axes} names an axis twice")


def _transpose(op: Op) -> None:
    _operands(op, 1)
    source, order = op.operands[0], op.attrs["permutation"]
    _axes(order, len(source.shape), "permutation")
    _need(len(order) == len(source.shape), "permutation needs every axis")
    _result(op, tuple(source.shape[axis] for axis in order), source.dtype)


def _result(op: Op, shape: tuple[int, ...], dtype: str) -> None:
    expected = TensorType(shape, dtype)
    _need(op.result.type == expected, f"the result is {op.result.type}, must be {expected}")


def _slice(op: Op) -> None:
    _operands(op, 1)
    source = op.operands[0]
    bounds = [op.attrs[key] for key in ("start", "limit", "strides")]
    _need(all(len(b) == len(source.shape) for b in bounds), "needs one bound per axis")
    shape = []
    for extent, start, limit, stride in zip(source.shape, *bounds, strict=True):
        _need(0 <= start <= limit <= extent and stride > 0, "a bound is outside the operand")
        shape.append(-(-(limit - start) // stride))
    _result(op, tuple(shape), source.dtype)


def _starts(op: Op, first: int) -> None:
    starts = op.operands[first:]
    _need(len(starts) == len(op.operands[0].shape), "needs one start per axis")
    for value in starts:
        _need(value.shape == () and value.dtype in ("i32", "ui32"), "a start is a scalar integer")


def _dynamic_slice(op: Op) -> None:
    _need(bool(op.operands), "needs an operand")
    _starts(op, 1)
    source, sizes = op.operands[0], op.attrs["sizes"]
    _need(len(sizes) == len(source.shape), "sizes needs every axis")
    fits = all(0 <= n <= extent for n, extent in zip(sizes, source.shape, strict=True))
    _need(fits, f"sizes {sizes} do not fit")
    _result(op, tuple(sizes), source.dtype)


def _dynamic_update_slice(op: Op) -> None:
    _need(len(op.operands) >= 2, "needs an operand and an update")
    _starts(op, 2)
    source, update = op.operands[:2]
    _need(source.dtype == update.dtype, "the update has another element type")
    _need(len(source.shape) == len(update.shape), "the update has another rank")
    fits = all(n <= extent for n, extent in zip(update.shape, source.shape, strict=True))
    _need(fits, f"the update {update.shape} does not fit")
    _result(op, source.shape, source.dtype)


def _concatenate(op: Op) -> None:
    _need(bool(op.operands), "needs an operand")
    first, dim = op.operands[0], op.attrs["dim"]
    _axes((dim,), len(first.shape), "dim")
    for value in op.operands:
        same = value.dtype == first.dtype and len(value.shape) == len(first.shape)
        rest = [i for i in range(len(first.shape)) if i != dim]
        same = same and all(value.shape[i] == first.shape[i] for i in rest)
        _need(same, f"{value.type} does not fit {first.type}")
    total = sum(value.shape[dim] for value in op.operands)
    _result(op, (*first.shape[:dim], total, *first.shape[dim + 1 :]), first.dtype)


# Kinds that compute over axes


def _reduce(op: Op) -> None:
    _operands(op, 2)
    source, init = op.operands
    dims, reducer = op.attrs["dims"], op.attrs["reducer"]
    _axes(dims, len(source.shape), "dims")
    _need(tuple(sorted(dims)) == dims, "dims must be sorted")
    _need(reducer in REDUCERS, f"unknown reducer {reducer!r}")
    _need(source.dtype != "f32" or reducer not in BITWISE, "f32 has no bitwise ops")
    _need(init.type == TensorType((), source.dtype), f"init is {init.type}")
    kept = tuple(n for axis, n in enumerate(source.shape) if axis not in dims)
    _result(op, kept, source.dtype)


def _dot_general(op: Op) -> None:
    _operands(op, 2)
    lhs, rhs = op.operands
    _same = lhs.dtype == rhs.dtype
    _need(_same, "operands differ in element type")
    _need(op.attrs["precision"] in PRECISIONS, f"precision {op.attrs['precision']!r}")
    batch, contract, free = zip(_side(op, "lhs", lhs), _side(op, "rhs", rhs), strict=True)
    _need(batch[0] == batch[1], f"batch extents {batch[0]} and {batch[1]} differ")
    _need(contract[0] == contract[1], f"contracted extents {contract[0]}, {contract[1]} differ")
    _result(op, (*batch[0], *free[0], *free[1]), lhs.dtype)


def _side(op: Op, side: str, value: Value) -> tuple[tuple[int, ...], ...]:
    """Return the extents of one operand's batch, contracted and free axes."""
    batch, contract = op.attrs[f"{side}_batch"], op.attrs[f"{side}_contract"]
    _axes((*batch, *contract), len(value.shape), side)
    free = [i for i in range(len(value.shape)) if i not in batch and i not in contract]
    return tuple(tuple(value.shape[i] for i in axes) for axes in (batch, contract, free))


def _while(op: Op) -> None:
    _need(len(op.regions) == 2, "needs two regions, cond and body")
    cond, body = op.regions
    types = [value.type for value in op.operands]
    for what, values in (
        ("results", op.results),
        ("cond parameters", cond.params),
        ("body parameters", body.params),
        ("body returns", body.returns),
    ):
        _need([value.type for value in values] == types, f"{what} differ from the carried values")
    ends = [value.type for value in cond.returns]
    _need(ends == [TensorType((), "i1")], "cond must return one scalar i1")
    trips = op.attrs["trip_count"]
    _need(trips is None or trips >= 0, f"trip_count {trips}")


def _fusion(op: Op) -> None:
    _need(len(op.regions) == 1, "needs one region")
    (body,) = op.regions
    _need(isinstance(op.attrs["space"], tuple), "space must be a tuple")
    params = [value.type for value in body.params]
    _need(params == [value.type for value in op.operands], "parameters differ from the operands")
    returns = [value.type for value in body.returns]
    _need(returns == [value.type for value in op.results], "returns differ from the results")


Rule = Callable[[Op], None]
_RULES: dict[str, Rule] = {
    **dict.fromkeys(BINARY | UNARY, _arithmetic),
    "compare": _compare,
    "select": _select,
    "clamp": _clamp,
    "convert": _convert,
    "bitcast_convert": _convert,
    "constant": _constant,
    "iota": _iota,
    "reshape": _reshape,
    "broadcast_in_dim": _broadcast,
    "transpose": _transpose,
    "slice": _slice,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "concatenate": _concatenate,
    "reduce": _reduce,
    "dot_general": _dot_general,
    "while": _while,
    "fusion": _fusion,
}


# After the passes


def _check_lowered(region: Region) -> None:
    for op in region.ops:
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
            _need(order < 3, "may not stand in a fusion")
            _need(
                order >= stage or op.kind == "constant", "stands after a later part of its fusion"
            )
            stage = max(stage, 1 if op.kind == "dot_general" else order)
            _check_fused(op, fusion)
            if op.kind == "reduce":
                _need(tail_dims in (None, op.attrs["dims"]), "reduces over other axes")
                tail_dims = op.attrs["dims"]
        except _BadOpError as reason:
            raise _error(op, f"in the fusion of %{fusion.results[0].name}: {reason}") from None


_STAGES = {"dot_general": 0, "constant": 0, "iota": 1, "broadcast_in_dim": 1, "reduce": 2}


def _check_fused(op: Op, fusion: Op) -> None:
    """Check one op of a fusion's body against the grammar."""
    space: Any = fusion.attrs["space"]
    body = fusion.regions[0]
    if op.kind == "constant":
        _need(splat_value(op) is not None, "a constant in a fusion has one value everywhere")
    elif op.kind == "reduce":
        _check_tail(op, space, body)
    else:
        _need(op.result.shape == space, f"{op.result.shape} differs from the space {space}")
    if op.kind == "dot_general":
        _need(all(v in body.params for v in op.operands), "a head reads only parameters")
        _need("numerics" in op.attrs or op.result.dtype != "f32", "numerics are not fixed")
    if op.kind == "broadcast_in_dim":
        _need(op.operands[0] in body.params, "a broadcast reads only a parameter")
        _need(tuple(sorted(op.attrs["dims"])) == op.attrs["dims"], "dims must be sorted")


def _check_tail(op: Op, space: tuple[int, ...], body: Region) -> None:
    dims = op.attrs["dims"]
    _need(op.operands[0].shape == space, f"reduces another shape than the space {space}")
    _need(bool(dims), "dims is empty")
    _need(dims == tuple(range(dims[0], dims[0] + len(dims))), "dims are not contiguous")
    inits = [other for other in body.ops if other.results == (op.operands[1],)]
    _need(bool(inits) and inits[0].kind == "constant", "init is no constant of the fusion")
    floats = op.result.dtype == "f32" and op.attrs["reducer"] in ("add", "multiply")
    _need("numerics" in op.attrs or not floats, "numerics are not fixed")
