"""The rules of the kinds that only a Module as ingested holds (docs/spec/module.md).

In: an op whose operands are known to be defined. Out: nothing, or BadOpError with the reason.
"""

from __future__ import annotations

from collections.abc import Callable

from spindle.ir.dtypes import FLOATS, INTEGERS
from spindle.ir.graph import Op, TensorType, Value
from spindle.ir.kind_needs import need, need_axes, need_operands, need_result, need_same_types
from spindle.ir.kinds import BITWISE, DIRECTIONS, WINDOW_REDUCERS
from spindle.ir.windows import dilated, window_axes


def _case(op: Op) -> None:
    need(len(op.regions) > 0, "needs a region")
    need(op.operands[0].type == TensorType((), "i32"), "the index must be a scalar i32")
    taken = [value.type for value in op.operands[1:]]
    made = [value.type for value in op.results]
    for region in op.regions:
        need([v.type for v in region.params] == taken, "parameters differ from the operands")
        need([v.type for v in region.returns] == made, "returns differ from the results")


def _arg_reduce(op: Op) -> None:
    need_operands(op, 4)
    x, number, init, first = op.operands
    dims = op.attrs["dims"]
    need_axes(dims, len(x.shape), "dims")
    need(tuple(sorted(dims)) == dims, "dims must be sorted")
    need(op.attrs["reducer"] in ("maximum", "minimum"), f"reducer {op.attrs['reducer']!r}")
    need(number.shape == x.shape, f"the numbers have the shape {number.shape}")
    need(number.dtype in INTEGERS, f"the numbers are {number.dtype}")
    need(init.type == TensorType((), x.dtype), f"init is {init.type}")
    need(first.type == TensorType((), number.dtype), f"the init's number is {first.type}")
    kept = tuple(n for axis, n in enumerate(x.shape) if axis not in dims)
    need_result(op, kept, number.dtype)


def _pad(op: Op) -> None:
    need_operands(op, 2)
    x, fill = op.operands
    edges = [op.attrs[key] for key in ("low", "high", "interior")]
    need(all(len(e) == len(x.shape) for e in edges), "needs low, high, interior for every axis")
    need(all(n >= 0 for n in edges[2]), "interior is negative")
    need(fill.type == TensorType((), x.dtype), f"the fill is {fill.type}")
    shape = tuple(
        low + dilated(n, inside + 1) + high
        for n, low, high, inside in zip(x.shape, *edges, strict=True)
    )
    need(all(n >= 0 for n in shape), f"the result has the shape {shape}")
    need_result(op, shape, x.dtype)


def _reduce_window(op: Op) -> None:
    need_operands(op, 2)
    x, init = op.operands
    need(op.attrs["reducer"] in WINDOW_REDUCERS, f"unknown reducer {op.attrs['reducer']!r}")
    need(x.dtype not in FLOATS or op.attrs["reducer"] not in BITWISE, "floats have no bitwise ops")
    need(init.type == TensorType((), x.dtype), f"init is {init.type}")
    _positive(op, len(x.shape), ("window", "strides", "base_dilation", "window_dilation"))
    need(len(op.attrs["padding"]) == len(x.shape), "padding needs every axis")
    need_result(op, tuple(n for n, _ in window_axes(op)), x.dtype)


def _positive(op: Op, rank: int, names: tuple[str, ...]) -> None:
    for name in names:
        need(len(op.attrs[name]) == rank, f"{name} needs every axis")
        need(all(n > 0 for n in op.attrs[name]), f"{name} must be positive")


def _select_and_scatter(op: Op) -> None:
    need_operands(op, 3)
    x, source, init = op.operands
    need(op.attrs["direction"] in DIRECTIONS, f"direction {op.attrs['direction']!r}")
    _positive(op, len(x.shape), ("window", "strides"))
    need(len(op.attrs["padding"]) == len(x.shape), "padding needs every axis")
    windows = TensorType(tuple(n for n, _ in window_axes(op)), x.dtype)
    need(source.type == windows, f"the source is {source.type}, must be {windows}")
    need(init.type == TensorType((), x.dtype), f"init is {init.type}")
    need_result(op, x.shape, x.dtype)


def _reverse(op: Op) -> None:
    need_operands(op, 1)
    need_axes(op.attrs["dims"], len(op.operands[0].shape), "dims")
    need_same_types((op.operands[0], op.result))


def _indexed(op: Op, x: Value, indices: Value, windows: TensorType) -> None:
    """Check indices [B, N, K], windows [B, N, sizes] and the K axes that the indices count."""
    axes = op.attrs["axes"]
    need_axes(axes, len(x.shape), "axes")
    need(0 not in axes, "axis 0 is the batch")
    need(indices.dtype == "i32" and len(indices.shape) == 3, f"the indices are {indices.type}")
    need(indices.shape[0] == x.shape[0], "the indices have another batch")
    need(indices.shape[2] == len(axes), "needs an index per axis of axes")
    need(windows.dtype == x.dtype, f"the windows are {windows.dtype}")
    need(len(windows.shape) == len(x.shape) + 1, "a window needs every axis")
    need(windows.shape[:2] == indices.shape[:2], "needs a window per row of indices")
    fits = all(n <= extent for n, extent in zip(windows.shape[2:], x.shape[1:], strict=True))
    need(fits, f"windows of {windows.shape[2:]} do not fit")


def _gather(op: Op) -> None:
    need_operands(op, 2)
    _indexed(op, op.operands[0], op.operands[1], op.result.type)


def _scatter(op: Op) -> None:
    need_operands(op, 3)
    x, indices, updates = op.operands
    _indexed(op, x, indices, updates.type)
    need(op.attrs["reducer"] in WINDOW_REDUCERS | {"update"}, f"reducer {op.attrs['reducer']!r}")
    need(x.dtype not in FLOATS or op.attrs["reducer"] not in BITWISE, "floats have no bitwise ops")
    need_same_types((x, op.result))


def _sort(op: Op) -> None:
    need(len(op.operands) > 0, "needs an operand")
    first, keys = op.operands[0], op.attrs["keys"]
    need(0 <= op.attrs["dim"] < len(first.shape), f"dim {op.attrs['dim']} does not exist")
    need(all(value.shape == first.shape for value in op.operands), "the shapes differ")
    need(1 <= len(keys) <= len(op.operands), f"{len(keys)} keys of {len(op.operands)} operands")
    need(all(direction in ("LT", "GT") for direction, _ in keys), f"keys {keys}")
    types = [value.type for value in op.operands]
    need([value.type for value in op.results] == types, "the results differ from the operands")


def _rng_bit_generator(op: Op) -> None:
    need_operands(op, 1)
    state = op.operands[0].type
    algorithm = op.attrs["algorithm"]
    need(algorithm in ("THREE_FRY", "PHILOX"), f"algorithm {algorithm!r}")
    sizes = ((2,), (3,)) if algorithm == "PHILOX" else ((2,),)
    need(state.dtype == "ui64" and state.shape in sizes, f"the state is {state}")
    need(len(op.results) == 2, "needs two results, state and bits")
    need(op.results[0].type == state, f"the next state is {op.results[0].type}")
    need(op.results[1].dtype in INTEGERS, f"the bits are {op.results[1].dtype}")


def _square(x: Value, what: str) -> None:
    need(x.dtype in FLOATS, f"{x.dtype} where a float is needed")
    need(len(x.shape) >= 2 and x.shape[-1] == x.shape[-2], f"{what} is {x.type}")


def _cholesky(op: Op) -> None:
    need_operands(op, 1)
    _square(op.operands[0], "the matrix")
    need(isinstance(op.attrs["lower"], bool), f"lower is {op.attrs['lower']!r}")
    need_same_types((op.operands[0], op.result))


def _triangular_solve(op: Op) -> None:
    need_operands(op, 2)
    a, b = op.operands
    _square(a, "the matrix")
    for key in ("left_side", "lower", "unit_diagonal", "transpose"):
        need(isinstance(op.attrs[key], bool), f"{key} is {op.attrs[key]!r}")
    need(len(b.shape) == len(a.shape) and b.shape[:-2] == a.shape[:-2], f"the other is {b.type}")
    side = b.shape[-2] if op.attrs["left_side"] else b.shape[-1]
    need(side == a.shape[-1], f"the sides {side} and {a.shape[-1]} differ")
    need_same_types((b, op.result))
    need(a.dtype == b.dtype, "operands differ in element type")


def _reduce_precision(op: Op) -> None:
    need_operands(op, 1)
    need_same_types((op.operands[0], op.result))
    need(op.result.dtype in FLOATS, f"{op.result.dtype} where a float is needed")
    need(op.attrs["exponent_bits"] >= 1, "exponent_bits must be positive")
    need(op.attrs["mantissa_bits"] >= 0, "mantissa_bits is negative")


EXPANDED_RULES: dict[str, Callable[[Op], None]] = {
    "case": _case,
    "arg_reduce": _arg_reduce,
    "pad": _pad,
    "reduce_window": _reduce_window,
    "select_and_scatter": _select_and_scatter,
    "reverse": _reverse,
    "gather": _gather,
    "scatter": _scatter,
    "sort": _sort,
    "rng_bit_generator": _rng_bit_generator,
    "cholesky": _cholesky,
    "triangular_solve": _triangular_solve,
    "reduce_precision": _reduce_precision,
}
"""Op kind -> its rule."""
