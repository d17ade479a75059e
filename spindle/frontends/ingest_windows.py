"""Rules of the ops over windows: reduce_window (pooling, cumulative sums), select_and_scatter.

In: a Scope and a raw op. Out: the Value of its result (docs/spec/module.md). Attributes that the
program leaves out stand for ones and for no padding.
"""

from __future__ import annotations

from typing import Any

from spindle.frontends.jaxlib_adapter import RawOp, RawRegion
from spindle.frontends.refusal import reducer_of, unsupported
from spindle.frontends.scope import Scope
from spindle.ir.graph import Value


def reduce_window(scope: Scope, raw: RawOp) -> Value:
    """Convert a reduce_window of one array."""
    if len(raw.operands) != 2:
        fix = "reduce each array alone"
        raise unsupported(raw, f"over {len(raw.operands) // 2} arrays is not compiled", fix)
    reducer = reducer_of(raw, raw.regions[0])
    dilations = {key: _per_axis(raw, f"{key}s") for key in ("base_dilation", "window_dilation")}
    attrs = {**_window(raw), **dilations, "reducer": reducer}
    return scope.emit(raw, "reduce_window", scope.operands(raw), scope.result_type(raw), **attrs)


def select_and_scatter(scope: Scope, raw: RawOp) -> Value:
    """Convert a select_and_scatter that compares and adds (the gradient of max pooling)."""
    select, scatter = raw.regions
    if reducer_of(raw, scatter) != "add":
        raise unsupported(raw, "that does not add is not compiled", "scatter with add")
    attrs = {**_window(raw), "direction": _direction(raw, select)}
    if any(edge < 0 for pair in attrs["padding"] for edge in pair):
        raise unsupported(raw, "with negative padding is not compiled", "slice the operand first")
    operands = scope.operands(raw)
    return scope.emit(raw, "select_and_scatter", operands, scope.result_type(raw), **attrs)


def _window(raw: RawOp) -> dict[str, Any]:
    window = tuple(raw.attrs["window_dimensions"])
    padding = raw.attrs.get("padding")
    pairs = ((0, 0),) * len(window) if padding is None else padding.reshape(-1, 2).tolist()
    strides = _per_axis(raw, "window_strides")
    return {"window": window, "strides": strides, "padding": tuple(map(tuple, pairs))}


def _per_axis(raw: RawOp, name: str) -> tuple[int, ...]:
    return tuple(raw.attrs.get(name) or (1,) * len(raw.attrs["window_dimensions"]))


def _direction(raw: RawOp, body: RawRegion) -> str:
    """Return the direction of a body that compares its first parameter with its second one."""
    if len(body.ops) == 1 and body.ops[0].name == "stablehlo.compare":
        (op,) = body.ops
        total = op.attrs.get("compare_type") == "TOTALORDER"
        if op.operands == body.params and body.returns == op.results and not total:
            direction: str = op.attrs["comparison_direction"]
            return direction
    raise unsupported(raw, "with this selection is not compiled", "select with >=, >, <= or <")
