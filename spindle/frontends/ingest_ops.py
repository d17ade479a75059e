"""One rule per StableHLO op: a raw op in, the Module's op (or ops) out.

In: a Scope and a RawOp whose operands are known. Out: the Value of its result. The table RULES at
the end is the whole list, SEVERAL that of ops with more than one result. Kinds and attributes
follow docs/spec/module.md. `while`, `case`, `if` and the 64-bit ops are
elsewhere (loops, branches, narrow).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spindle.frontends.ingest_arg_reduce import arg_reduce
from spindle.frontends.ingest_dot import convolution, dot, dot_general
from spindle.frontends.ingest_index import gather, scatter
from spindle.frontends.ingest_sort import sort
from spindle.frontends.ingest_windows import reduce_window, select_and_scatter
from spindle.frontends.jaxlib_adapter import RawOp
from spindle.frontends.places import as_start
from spindle.frontends.refusal import reducer_of, unsupported
from spindle.frontends.scope import Scope, tensor_type
from spindle.ir.dtypes import FLOATS, INTEGERS
from spindle.ir.graph import Op, TensorType, Value

Rule = Callable[[Scope, RawOp], Value]

# fmt: off
PLAIN = (
    "add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "remainder",
    "and", "or", "xor", "shift_left", "shift_right_logical", "shift_right_arithmetic", "negate",
    "abs", "sign", "sqrt", "rsqrt", "exponential", "exponential_minus_one", "log", "log_plus_one",
    "tanh", "logistic", "floor", "ceil", "not", "is_finite", "popcnt", "reshape",
    "sine", "cosine", "tan", "atan2", "cbrt", "round_nearest_even", "round_nearest_afz",
    "count_leading_zeros", "erf", "erfc",
)
# fmt: on
"""Ops that need nothing but their operands and their result's type."""


def apply_rule(scope: Scope, raw: RawOp) -> tuple[Value, ...]:
    """Convert one op; return a Value per result.

    Raises UnsupportedError with the op, its line and what to do where there is no rule.
    """
    name = raw.name.rpartition(".")[2]
    if name in RULES and (len(raw.results) == 1 or name not in SEVERAL):
        return (RULES[name](scope, raw),)
    if name in SEVERAL:
        return SEVERAL[name](scope, raw)
    raise unsupported(raw)


def _plain(scope: Scope, raw: RawOp) -> Value:
    kind = raw.name.rpartition(".")[2]
    return scope.emit(raw, kind, scope.operands(raw), scope.result_type(raw))


def _attr_rule(kind: str, **names: str) -> Rule:
    """Make the rule of an op that only renames its attributes: ours=theirs."""

    def rule(scope: Scope, raw: RawOp) -> Value:
        attrs = {ours: raw.attrs[theirs] for ours, theirs in names.items()}
        return scope.emit(raw, kind, scope.operands(raw), scope.result_type(raw), **attrs)

    return rule


def _constant(scope: Scope, raw: RawOp) -> Value:
    out = scope.result_type(raw)
    if raw.attrs["value"] is None or not hasattr(raw.attrs["value"], "shape"):
        raise unsupported(raw, "holds its data in a form that cannot be read")
    return scope.constant(raw, raw.attrs["value"], out.dtype)


def _compare(scope: Scope, raw: RawOp) -> Value:
    operands = scope.operands(raw)
    if raw.attrs.get("compare_type") == "TOTALORDER" and operands[0].dtype in FLOATS:
        operands = tuple(_in_total_order(scope, raw, value) for value in operands)
    direction = raw.attrs["comparison_direction"]
    return scope.emit(raw, "compare", operands, scope.result_type(raw), direction=direction)


def _in_total_order(scope: Scope, raw: RawOp, value: Value) -> Value:
    """Return i32 in IEEE's totalOrder: the bits; of negative numbers all but the sign flipped."""
    words = TensorType(value.shape, "i32")
    exact = scope.converted(raw, value, "f32")
    word = scope.emit(raw, "bitcast_convert", (exact,), words)
    number = scope.constant(raw, np.full(value.shape, 31, np.int32), "i32")
    below = scope.constant(raw, np.full(value.shape, 2**31 - 1, np.int32), "i32")
    sign = scope.emit(raw, "shift_right_arithmetic", (word, number), words)
    flips = scope.emit(raw, "and", (sign, below), words)
    return scope.emit(raw, "xor", (word, flips), words)


def _select(scope: Scope, raw: RawOp) -> Value:
    pred, on_true, on_false = scope.operands(raw)
    out = scope.result_type(raw)
    pred = scope.broadcast(raw, pred, out.shape)
    return scope.emit(raw, "select", (pred, on_true, on_false), out)


def _clamp(scope: Scope, raw: RawOp) -> Value:
    low, value, high = scope.operands(raw)
    out = scope.result_type(raw)
    bounds = (scope.broadcast(raw, low, out.shape), scope.broadcast(raw, high, out.shape))
    return scope.emit(raw, "clamp", (bounds[0], value, bounds[1]), out)


def _dynamic_slice(scope: Scope, raw: RawOp) -> Value:
    sizes = tuple(raw.attrs["slice_sizes"])
    out = scope.result_type(raw)
    return scope.emit(raw, "dynamic_slice", _with_starts(scope, raw, 1), out, sizes=sizes)


def _dynamic_update_slice(scope: Scope, raw: RawOp) -> Value:
    out = scope.result_type(raw)
    return scope.emit(raw, "dynamic_update_slice", _with_starts(scope, raw, 2), out)


def _with_starts(scope: Scope, raw: RawOp, first: int) -> tuple[Value, ...]:
    """Return the operands, each start as a place."""
    operands = scope.operands(raw)
    return operands[:first] + tuple(as_start(scope, raw, x) for x in operands[first:])


def _reduce(scope: Scope, raw: RawOp) -> Value:
    dims = tuple(sorted(raw.attrs["dimensions"]))
    reducer = reducer_of(raw, raw.regions[0])
    out = scope.result_type(raw)
    if reducer == "xor":
        return _reduce_as_window(scope, raw, dims, reducer)
    return scope.emit(raw, "reduce", scope.operands(raw), out, dims=dims, reducer=reducer)


def _reduce_as_window(scope: Scope, raw: RawOp, dims: tuple[int, ...], reducer: str) -> Value:
    """Reduce in one window; an empty one has nothing but the start."""
    x, init = scope.operands(raw)
    out, ones = scope.result_type(raw), (1,) * len(x.shape)
    window = tuple(n if axis in dims else 1 for axis, n in enumerate(x.shape))
    if 0 in window:
        return scope.broadcast(raw, init, out.shape)
    attrs = {"window": window, "padding": ((0, 0),) * len(ones), "reducer": reducer}
    attrs |= dict.fromkeys(("strides", "base_dilation", "window_dilation"), ones)
    kept = tuple(1 if axis in dims else n for axis, n in enumerate(x.shape))
    whole = scope.emit(raw, "reduce_window", (x, init), TensorType(kept, x.dtype), **attrs)
    return scope.emit(raw, "reshape", (whole,), out)


def _reduce_precision(scope: Scope, raw: RawOp) -> Value:
    """Convert; where nothing is cut from float32 it is the value itself."""
    (value,) = scope.operands(raw)
    attrs = {key: raw.attrs[key] for key in ("exponent_bits", "mantissa_bits")}
    if attrs["exponent_bits"] >= 8 and attrs["mantissa_bits"] >= 23:
        return value
    return scope.emit(raw, "reduce_precision", (value,), scope.result_type(raw), **attrs)


def _cholesky(scope: Scope, raw: RawOp) -> Value:
    lower = bool(raw.attrs.get("lower"))
    return scope.emit(raw, "cholesky", scope.operands(raw), scope.result_type(raw), lower=lower)


def _triangular_solve(scope: Scope, raw: RawOp) -> Value:
    """Convert; the adjoint of a real matrix is its transpose."""
    attrs = {key: bool(raw.attrs[key]) for key in ("left_side", "lower", "unit_diagonal")}
    attrs["transpose"] = raw.attrs["transpose_a"] != "NO_TRANSPOSE"
    out = scope.result_type(raw)
    return scope.emit(raw, "triangular_solve", scope.operands(raw), out, **attrs)


def _convert(scope: Scope, raw: RawOp) -> Value:
    """Convert; from a narrowed 64-bit integer to ui32 it is the value itself."""
    if raw.operands[0] in scope.doubles and scope.result_type(raw).dtype in FLOATS:
        return _rounded_constant(scope, raw)
    (value,) = scope.operands(raw)
    return scope.converted(raw, value, scope.result_type(raw).dtype)


def _rounded_constant(scope: Scope, raw: RawOp) -> Value:
    """Convert a float64 constant (with x64 on JAX writes its defaults so) by way of float32."""
    out, data = scope.result_type(raw), scope.doubles[raw.operands[0]]
    with np.errstate(over="ignore"):
        value = scope.constant(raw, data.astype(np.float32), "f32")
    return scope.converted(raw, value, out.dtype)


RULES: dict[str, Rule] = dict.fromkeys(PLAIN, _plain) | {
    "constant": _constant,
    "iota": _attr_rule("iota", dim="iota_dimension"),
    "compare": _compare,
    "select": _select,
    "clamp": _clamp,
    "convert": _convert,
    "bitcast_convert": _attr_rule("bitcast_convert"),
    "broadcast_in_dim": _attr_rule("broadcast_in_dim", dims="broadcast_dimensions"),
    "transpose": _attr_rule("transpose", permutation="permutation"),
    "slice": _attr_rule("slice", start="start_indices", limit="limit_indices", strides="strides"),
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "concatenate": _attr_rule("concatenate", dim="dimension"),
    "pad": _attr_rule(
        "pad", low="edge_padding_low", high="edge_padding_high", interior="interior_padding"
    ),
    "reverse": _attr_rule("reverse", dims="dimensions"),
    "gather": gather,
    "scatter": scatter,
    "reduce_window": reduce_window,
    "select_and_scatter": select_and_scatter,
    "reduce": _reduce,
    "dot_general": dot_general,
    "dot": dot,
    "convolution": convolution,
    "reduce_precision": _reduce_precision,
    "cholesky": _cholesky,
    "triangular_solve": _triangular_solve,
}
"""Rules of ops with one result."""


def _rng_bit_generator(scope: Scope, raw: RawOp) -> tuple[Value, ...]:
    """Convert a draw of random bits; the default algorithm is XLA's on CPU."""
    types = [tensor_type(scope.types[n], f"{raw.name} makes", raw.loc) for n in raw.results]
    sizes = {"PHILOX": ("2", "3"), "THREE_FRY": ("2",)}
    algorithm = raw.attrs["rng_algorithm"].replace("DEFAULT", "PHILOX")
    known = str(types[0]) in [f"ui64[{n}]" for n in sizes[algorithm]]
    if not known or types[1].dtype not in INTEGERS:
        detail = f"of {types[1]} from a state of {types[0]} is not compiled"
        raise unsupported(raw, detail, "draw integers, from a state of ui64[2]")
    results = tuple(Value(type_) for type_ in types)
    attrs = {"algorithm": algorithm}
    scope.append(Op("rng_bit_generator", scope.operands(raw), results, attrs, (), raw.loc))
    return results


SEVERAL: dict[str, Callable[[Scope, RawOp], tuple[Value, ...]]] = {
    "reduce": arg_reduce,
    "sort": sort,
    "rng_bit_generator": _rng_bit_generator,
}
"""Rules of ops with several results."""
