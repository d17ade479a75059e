"""The reference evaluator: what every Module computes, bit for bit, in NumPy.

In: a Module, host arrays, Options. Out: host arrays. It follows docs/numerics.md and docs/spec/;
nothing here is taken from the C kernels. Elementwise kinds are in evaluate_elementwise.py, bf16
and f16 in evaluate_held.py, reductions in evaluate_reduce.py, dots in evaluate_dot.py, convolutions
in evaluate_conv.py, data movement and control here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spindle.errors import InternalError, UserError
from spindle.ir.evaluate_compositions import COMPOSED
from spindle.ir.evaluate_conv import convolution
from spindle.ir.evaluate_dot import dot_general
from spindle.ir.evaluate_elementwise import ELEMENTWISE
from spindle.ir.evaluate_held import is_small_float, small_float, words
from spindle.ir.evaluate_index import gather, reverse, scatter
from spindle.ir.evaluate_linear import cholesky, triangular_solve
from spindle.ir.evaluate_random import rng_bit_generator
from spindle.ir.evaluate_reduce import arg_reduce, reduce
from spindle.ir.evaluate_sort import sort
from spindle.ir.evaluate_window import pad, reduce_window, select_and_scatter
from spindle.ir.graph import DTYPES, Module, Op, Region, TensorType, Value
from spindle.options import Options

Array = np.ndarray[Any, Any]
_Values = dict[Value, Array]


def evaluate(module: Module, args: Sequence[Array], options: Options | None = None) -> list[Array]:
    """Run a Module on host arrays and return one array per result.

    Each argument has its parameter's shape and NumPy type (graph.DTYPES); the results too.
    `options` decides only for dots without `numerics` and with precision "DEFAULT".

    Raises UserError where an argument's number, shape or type is wrong.
    """
    params = module.body.params
    if len(args) != len(params):
        raise UserError(
            f"{len(args)} arguments were given, the program takes {len(params)}",
            where=module.name,
            fix="pass one array per parameter",
        )
    arrays = [
        _checked(np.asarray(arg), p, i) for i, (arg, p) in enumerate(zip(args, params, strict=True))
    ]
    with np.errstate(all="ignore"):
        return _run(module.body, arrays, {}, options or Options())


def _checked(array: Array, param: Value, index: int) -> Array:
    if array.shape != param.shape or array.dtype != DTYPES[param.dtype]:
        raise UserError(
            f"argument {index} is {array.dtype}{list(array.shape)}, expected {param.type}",
            fix="convert it before the call",
        )
    return array


def _run(region: Region, args: Sequence[Array], env: _Values, options: Options) -> list[Array]:
    """Evaluate a region; `env` holds outer values too, which a body may read."""
    env.update(zip(region.params, args, strict=True))
    for op in region.ops:
        results = _run_op(op, [env[v] for v in op.operands], env, options)
        for value, array in zip(op.results, results, strict=True):
            env[value] = _result(array, value.type, op)
    return [env[v] for v in region.returns]


def _result(array: Array, expected: TensorType, op: Op) -> Array:
    if array.shape != expected.shape or array.dtype != DTYPES[expected.dtype]:
        raise InternalError(
            f"{op.kind}: the evaluator made {array.dtype}{list(array.shape)},"
            f" the Module says {expected}"
        )
    return np.ascontiguousarray(array).reshape(expected.shape)


def _run_op(op: Op, operands: list[Array], env: _Values, options: Options) -> list[Array]:
    if is_small_float(op):
        return small_float(op, operands, lambda inner, x: _run_op(inner, x, env, options))
    if op.kind == "while":
        return _while(op, operands, env, options)
    if op.kind == "case":
        return _case(op, operands, env, options)
    if op.kind in _SEVERAL:
        return _SEVERAL[op.kind](op, operands)
    if op.kind == "fusion":
        return _run(op.regions[0], operands, env, options)
    if op.kind == "dot_general":
        return [dot_general(op, operands[0], operands[1], options, *operands[2:])]
    if op.kind == "convolution":
        return [convolution(op, operands[0], operands[1], options)]
    if op.kind in _PLAIN:
        return [_PLAIN[op.kind](op, *operands)]
    if op.kind in _MOVES:
        return [_MOVES[op.kind](op, operands)]
    raise InternalError(f"the evaluator has no definition of op kind {op.kind!r}")


def _while(op: Op, carried: list[Array], env: _Values, options: Options) -> list[Array]:
    cond, body = op.regions
    trip_count = op.attrs.get("trip_count")
    done = 0
    while done < trip_count if trip_count is not None else _holds(cond, carried, env, options):
        carried = _run(body, carried, env, options)
        done += 1
    return carried


def _holds(cond: Region, carried: list[Array], env: _Values, options: Options) -> bool:
    return bool(_run(cond, carried, env, options)[0])


def _case(op: Op, operands: list[Array], env: _Values, options: Options) -> list[Array]:
    """Run the branch of the index; the last one where there is no such branch."""
    index, last = int(operands[0]), len(op.regions) - 1
    branch = op.regions[index if 0 <= index <= last else last]
    return _run(branch, operands[1:], env, options)


def _constant(op: Op, operands: list[Array]) -> Array:
    return np.asarray(op.attrs["value"], DTYPES[op.result.dtype]).reshape(op.result.shape)


def _iota(op: Op, operands: list[Array]) -> Array:
    shape, dim = op.result.shape, op.attrs["dim"]
    index = np.arange(shape[dim]).astype(DTYPES[op.result.dtype])
    column = index.reshape([-1 if axis == dim else 1 for axis in range(len(shape))])
    return np.broadcast_to(column, shape)


def _reshape(op: Op, operands: list[Array]) -> Array:
    return operands[0].reshape(op.result.shape)


def _broadcast_in_dim(op: Op, operands: list[Array]) -> Array:
    (x,), shape = operands, op.result.shape
    extents = [1] * len(shape)
    for axis, dim in enumerate(op.attrs["dims"]):
        extents[dim] = x.shape[axis]
    order = np.argsort(np.asarray(op.attrs["dims"], dtype=np.intp))
    return np.broadcast_to(x.transpose(order).reshape(extents), shape)


def _transpose(op: Op, operands: list[Array]) -> Array:
    return operands[0].transpose(op.attrs["permutation"])


def _reverse(op: Op, operands: list[Array]) -> Array:
    return np.flip(operands[0], op.attrs["dims"])


def _slice(op: Op, operands: list[Array]) -> Array:
    bounds = zip(op.attrs["start"], op.attrs["limit"], op.attrs["strides"], strict=True)
    return operands[0][tuple(slice(*bound) for bound in bounds)]


def _strided(op: Op, operands: list[Array]) -> Array:
    (x,), shape = operands, op.result.shape
    index = np.zeros(shape, np.intp)
    for axis, step in enumerate(op.attrs["strides"]):
        index += np.arange(shape[axis]).reshape(-1, *[1] * (len(shape) - axis - 1)) * step
    return x.reshape(-1)[index]


def _window(starts: list[Array], shape: Sequence[int], sizes: Sequence[int]) -> tuple[slice, ...]:
    """The clamped window: start_i in 0..shape_i - sizes_i."""
    firsts = [
        min(max(int(s), 0), n - size) for s, n, size in zip(starts, shape, sizes, strict=True)
    ]
    return tuple(slice(first, first + size) for first, size in zip(firsts, sizes, strict=True))


def _dynamic_slice(op: Op, operands: list[Array]) -> Array:
    x, *starts = operands
    return x[_window(starts, x.shape, op.attrs["sizes"])]


def _dynamic_update_slice(op: Op, operands: list[Array]) -> Array:
    x, update, *starts = operands
    out = x.copy()
    out[_window(starts, x.shape, update.shape)] = update
    return out


def _concatenate(op: Op, operands: list[Array]) -> Array:
    return np.concatenate(operands, axis=op.attrs["dim"])


_MOVES: dict[str, Callable[[Op, list[Array]], Array]] = {
    "constant": _constant,
    "iota": _iota,
    "reshape": _reshape,
    "broadcast_in_dim": _broadcast_in_dim,
    "transpose": _transpose,
    "reverse": _reverse,
    "slice": _slice,
    "strided": _strided,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "concatenate": _concatenate,
}

_SEVERAL: dict[str, Callable[[Op, list[Array]], list[Array]]] = {
    "sort": sort,
    "rng_bit_generator": rng_bit_generator,
}
"""Kinds with several results."""

_PLAIN: dict[str, Callable[..., Array]] = {
    **ELEMENTWISE,
    **COMPOSED,
    "reduce": reduce,
    "arg_reduce": arg_reduce,
    "pad": pad,
    "reduce_window": reduce_window,
    "select_and_scatter": select_and_scatter,
    "reverse": reverse,
    "gather": gather,
    "scatter": scatter,
    "words": words,
    "cholesky": cholesky,
    "triangular_solve": triangular_solve,
}
"""Op kind -> function(op, *operands): the kinds that need neither regions nor options."""
