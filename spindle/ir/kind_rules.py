"""The rules of each op kind (docs/spec/module.md): operands, attributes, result types.

In: an op whose operands are known to be defined. Out: nothing, or BadOpError with the reason;
verify.py adds the op and its place. Kinds that the expand passes take out: kind_rules_expanded.py.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from spindle.ir.convolution import result_type
from spindle.ir.dot_modes import WHOLE_ROWS
from spindle.ir.dtypes import FLOATS, INTEGERS, bit_width
from spindle.ir.graph import DTYPES, GivenNumerics, Op, TensorType, Value
from spindle.ir.held import HELD, words_type
from spindle.ir.kind_needs import need, need_axes, need_operands, need_result, need_same_types
from spindle.ir.kind_rules_expanded import EXPANDED_RULES
from spindle.ir.kinds import (
    BINARY,
    BITWISE,
    DIRECTIONS,
    FLOAT_ONLY,
    INTEGER_ONLY,
    PRECISIONS,
    REDUCERS,
    UNARY,
)

# Elementwise kinds


def _arithmetic(op: Op) -> None:
    need_operands(op, 2 if op.kind in BINARY else 1)
    result = op.result
    dtype = op.operands[0].dtype
    if op.kind == "is_finite":
        need(result.type == TensorType(op.operands[0].shape, "i1"), "the result must be i1")
    else:
        need_same_types((*op.operands, result))
    need(op.kind not in FLOAT_ONLY or dtype in FLOATS, f"{dtype} where a float is needed")
    need(op.kind not in INTEGER_ONLY or dtype in INTEGERS, f"{dtype} is no integer")
    need(op.kind not in BITWISE or dtype not in FLOATS, f"{dtype} has no bitwise ops")


def _compare(op: Op) -> None:
    need_operands(op, 2)
    need_same_types(op.operands)
    need(op.attrs["direction"] in DIRECTIONS, f"direction {op.attrs['direction']!r}")
    need(op.result.type == TensorType(op.operands[0].shape, "i1"), "the result must be i1")


def _select(op: Op) -> None:
    need_operands(op, 3)
    need_same_types((op.result, *op.operands[1:]))
    need(op.operands[0].type == TensorType(op.result.shape, "i1"), "pred must be i1, full shape")


def _clamp(op: Op) -> None:
    need_operands(op, 3)
    need_same_types((op.result, *op.operands))


def _convert(op: Op) -> None:
    need_operands(op, 1)
    need(op.operands[0].shape == op.result.shape, "the shape must stay")


def _bitcast(op: Op) -> None:
    """Narrower elements lie along a last axis."""
    need_operands(op, 1)
    source, result = op.operands[0], op.result
    ratio = bit_width(source.dtype) // bit_width(result.dtype)
    if ratio > 1:
        need(result.shape == (*source.shape, ratio), f"the result has the shape {result.shape}")
    elif bit_width(source.dtype) == bit_width(result.dtype):
        need(source.shape == result.shape, "the shape must stay")
    else:
        back = bit_width(result.dtype) // bit_width(source.dtype)
        need(source.shape == (*result.shape, back), f"the operand has the shape {source.shape}")


def _words(op: Op) -> None:
    need_operands(op, 1)
    types = (op.operands[0].type, op.result.type)
    held = [type_ for type_ in types if type_.dtype in HELD]
    need(len(held) == 1, "one side must be a held type, the other its words")
    need(words_type(held[0]) in types, f"{words_type(held[0])} are the words of {held[0]}")


def _constant(op: Op) -> None:
    need_operands(op, 0)
    value = op.attrs["value"]
    need(isinstance(value, np.ndarray), "value must be an ndarray")
    need(value.shape == op.result.shape, f"value has the shape {value.shape}")
    need(value.dtype == DTYPES[op.result.dtype], f"value has the type {value.dtype}")


def _iota(op: Op) -> None:
    need_operands(op, 0)
    need(0 <= op.attrs["dim"] < len(op.result.shape), f"dim {op.attrs['dim']} does not exist")


# Kinds that move data


def _reshape(op: Op) -> None:
    need_operands(op, 1)
    source, result = op.operands[0], op.result
    need(source.dtype == result.dtype, "the element type must stay")
    need(source.type.size == result.type.size, "the number of elements must stay")


def _broadcast(op: Op) -> None:
    need_operands(op, 1)
    source, result, dims = op.operands[0], op.result, op.attrs["dims"]
    need(source.dtype == result.dtype, "the element type must stay")
    need(len(dims) == len(source.shape), "dims needs one entry per operand axis")
    need_axes(dims, len(result.shape), "dims")
    for extent, axis in zip(source.shape, dims, strict=True):
        need(extent in (1, result.shape[axis]), f"extent {extent} does not fit axis {axis}")


def _transpose(op: Op) -> None:
    need_operands(op, 1)
    source, order = op.operands[0], op.attrs["permutation"]
    need_axes(order, len(source.shape), "permutation")
    need(len(order) == len(source.shape), "permutation needs every axis")
    need_result(op, tuple(source.shape[axis] for axis in order), source.dtype)


def _slice(op: Op) -> None:
    need_operands(op, 1)
    source = op.operands[0]
    bounds = [op.attrs[key] for key in ("start", "limit", "strides")]
    need(all(len(b) == len(source.shape) for b in bounds), "needs one bound per axis")
    shape = []
    for extent, start, limit, stride in zip(source.shape, *bounds, strict=True):
        need(0 <= start <= limit <= extent and stride > 0, "a bound is outside the operand")
        shape.append(-(-(limit - start) // stride))
    need_result(op, tuple(shape), source.dtype)


def _strided(op: Op) -> None:
    need_operands(op, 1)
    source, result, strides = op.operands[0], op.result, op.attrs["strides"]
    need(source.dtype == result.dtype, "the element type must stay")
    need(len(strides) == len(result.shape), "needs one stride per axis")
    last = sum((n - 1) * step for n, step in zip(result.shape, strides, strict=True))
    inside = 0 in result.shape or last < source.type.size
    need(inside and min(strides, default=1) > 0, f"strides {strides} leave the operand")


def _starts(op: Op, first: int) -> None:
    starts = op.operands[first:]
    need(len(starts) == len(op.operands[0].shape), "needs one start per axis")
    for value in starts:
        need(value.shape == () and value.dtype in ("i32", "ui32"), "a start is a scalar integer")


def _dynamic_slice(op: Op) -> None:
    need(bool(op.operands), "needs an operand")
    _starts(op, 1)
    source, sizes = op.operands[0], op.attrs["sizes"]
    need(len(sizes) == len(source.shape), "sizes needs every axis")
    fits = all(0 <= n <= extent for n, extent in zip(sizes, source.shape, strict=True))
    need(fits, f"sizes {sizes} do not fit")
    need_result(op, tuple(sizes), source.dtype)


def _dynamic_update_slice(op: Op) -> None:
    need(len(op.operands) >= 2, "needs an operand and an update")
    _starts(op, 2)
    source, update = op.operands[:2]
    need(source.dtype == update.dtype, "the update has another element type")
    need(len(source.shape) == len(update.shape), "the update has another rank")
    fits = all(n <= extent for n, extent in zip(update.shape, source.shape, strict=True))
    need(fits, f"the update {update.shape} does not fit")
    need_result(op, source.shape, source.dtype)


def _concatenate(op: Op) -> None:
    need(bool(op.operands), "needs an operand")
    first, dim = op.operands[0], op.attrs["dim"]
    need_axes((dim,), len(first.shape), "dim")
    for value in op.operands:
        same = value.dtype == first.dtype and len(value.shape) == len(first.shape)
        rest = [i for i in range(len(first.shape)) if i != dim]
        same = same and all(value.shape[i] == first.shape[i] for i in rest)
        need(same, f"{value.type} does not fit {first.type}")
    total = sum(value.shape[dim] for value in op.operands)
    need_result(op, (*first.shape[:dim], total, *first.shape[dim + 1 :]), first.dtype)


# Kinds that compute over axes


def _reduce(op: Op) -> None:
    need_operands(op, 2)
    source, init = op.operands
    dims, reducer = op.attrs["dims"], op.attrs["reducer"]
    need_axes(dims, len(source.shape), "dims")
    need(tuple(sorted(dims)) == dims, "dims must be sorted")
    need(reducer in REDUCERS, f"unknown reducer {reducer!r}")
    need(source.dtype not in FLOATS or reducer not in BITWISE, "floats have no bitwise ops")
    need(init.type == TensorType((), source.dtype), f"init is {init.type}")
    kept = tuple(n for axis, n in enumerate(source.shape) if axis not in dims)
    need_result(op, kept, source.dtype)


def _dot_general(op: Op) -> None:
    given = _n_given(op.attrs.get("numerics"))
    need_operands(op, 2 + given)
    lhs, rhs, *exponents = op.operands
    _same = lhs.dtype == rhs.dtype
    need(_same, "operands differ in element type")
    need(op.attrs["precision"] in PRECISIONS, f"precision {op.attrs['precision']!r}")
    batch, contract, free = zip(_side(op, "lhs", lhs), _side(op, "rhs", rhs), strict=True)
    need(batch[0] == batch[1], f"batch extents {batch[0]} and {batch[1]} differ")
    need(contract[0] == contract[1], f"contracted extents {contract[0]}, {contract[1]} differ")
    need_result(op, (*batch[0], *free[0], *free[1]), lhs.dtype)
    if given:
        _given(exponents, prod(batch[0]), (contract[0], *free)[-given:])


def _n_given(numerics: object) -> int:
    """Operands that give exponents: d in modes that balance, words of rows and of columns."""
    if not isinstance(numerics, GivenNumerics):
        return 0
    return 2 if numerics.mode in WHOLE_ROWS else 3


def _given(exponents: list[Value], n_batch: int, parts: tuple[tuple[int, ...], ...]) -> None:
    """d per contracted index, exponent words per row and per column, of every batch index."""
    for value, part in zip(exponents, parts, strict=True):
        expected = TensorType((n_batch * prod(part),), "i32")
        need(value.type == expected, f"given exponents are {value.type}, must be {expected}")


def _convolution(op: Op) -> None:
    need_operands(op, 2)
    lhs, rhs = op.operands
    need(lhs.dtype == rhs.dtype, "operands differ in element type")
    need(op.attrs["precision"] in PRECISIONS, f"precision {op.attrs['precision']!r}")
    rank = len(lhs.shape)
    for key in ("lhs_axes", "rhs_axes", "out_axes"):
        need(len(op.attrs[key]) == rank >= 2, f"{key} needs all {rank} axes")
        need_axes(op.attrs[key], rank, key)
    for key in ("strides", "padding", "lhs_dilation", "rhs_dilation", "reversal"):
        need(len(op.attrs[key]) == rank - 2, f"{key} needs {rank - 2} entries")
    for key in ("strides", "lhs_dilation", "rhs_dilation"):
        need(all(step > 0 for step in op.attrs[key]), f"{key} must be positive")
    _conv_groups(op, lhs, rhs)
    expected = result_type(op)
    need(op.result.type == expected, f"the result is {op.result.type}, must be {expected}")


def _conv_groups(op: Op, lhs: Value, rhs: Value) -> None:
    features, batches = op.attrs["feature_groups"], op.attrs["batch_groups"]
    need(min(features, batches) == 1 and max(features, batches) > 0, "one group count must be 1")
    (batch, feature), (outputs, channels) = op.attrs["lhs_axes"][:2], op.attrs["rhs_axes"][:2]
    need(lhs.shape[batch] % batches == 0, "batch_groups does not divide the batch")
    need(lhs.shape[feature] == rhs.shape[channels] * features, "input features differ")
    need(rhs.shape[outputs] % (features * batches) == 0, "groups do not divide the outputs")


def _side(op: Op, side: str, value: Value) -> tuple[tuple[int, ...], ...]:
    """Return the extents of one operand's batch, contracted and free axes."""
    batch, contract = op.attrs[f"{side}_batch"], op.attrs[f"{side}_contract"]
    need_axes((*batch, *contract), len(value.shape), side)
    free = [i for i in range(len(value.shape)) if i not in batch and i not in contract]
    return tuple(tuple(value.shape[i] for i in axes) for axes in (batch, contract, free))


def _while(op: Op) -> None:
    need(len(op.regions) == 2, "needs two regions, cond and body")
    cond, body = op.regions
    types = [value.type for value in op.operands]
    for what, values in (
        ("results", op.results),
        ("cond parameters", cond.params),
        ("body parameters", body.params),
        ("body returns", body.returns),
    ):
        need([value.type for value in values] == types, f"{what} differ from the carried values")
    ends = [value.type for value in cond.returns]
    need(ends == [TensorType((), "i1")], "cond must return one scalar i1")
    trips = op.attrs["trip_count"]
    need(trips is None or trips >= 0, f"trip_count {trips}")


def _fusion(op: Op) -> None:
    need(len(op.regions) == 1, "needs one region")
    (body,) = op.regions
    need(isinstance(op.attrs["space"], tuple), "space must be a tuple")
    params = [value.type for value in body.params]
    need(params == [value.type for value in op.operands], "parameters differ from the operands")
    returns = [value.type for value in body.returns]
    need(returns == [value.type for value in op.results], "returns differ from the results")


Rule = Callable[[Op], None]
RULES: dict[str, Rule] = {
    **dict.fromkeys(BINARY | UNARY, _arithmetic),
    "compare": _compare,
    "select": _select,
    "clamp": _clamp,
    "convert": _convert,
    "bitcast_convert": _bitcast,
    "words": _words,
    "constant": _constant,
    "iota": _iota,
    "reshape": _reshape,
    "broadcast_in_dim": _broadcast,
    "transpose": _transpose,
    "slice": _slice,
    "strided": _strided,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "concatenate": _concatenate,
    "reduce": _reduce,
    "dot_general": _dot_general,
    "convolution": _convolution,
    "while": _while,
    "fusion": _fusion,
    **EXPANDED_RULES,
}
"""Op kind -> its rule."""
