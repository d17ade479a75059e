"""Rules of dots and convolutions: which type they are computed in, and how exactly.

In: a Scope and a raw op. Out: the Value of its result (docs/spec/module.md).
"""

from __future__ import annotations

from typing import Any

from spindle.frontends.jaxlib_adapter import RawOp
from spindle.frontends.refusal import unsupported
from spindle.frontends.scope import Scope
from spindle.ir.dtypes import FLOATS, INTEGERS
from spindle.ir.graph import TensorType, Value

PRECISIONS = ("DEFAULT", "HIGH", "HIGHEST")
ALGORITHM_INPUTS = ("f32", "bf16", "f16")
"""Types to which a preset algorithm may round the operands; it sums up in float32."""


def _contracted(scope: Scope, raw: RawOp, kind: str, **attrs: Any) -> Value:
    """Emit a dot or convolution in the type it is computed in, and round to the result's type.

    That type is the result's, or float32 where any of the three is and all are floats.
    """
    lhs, rhs = scope.operands(raw)
    out = scope.result_type(raw)
    dtypes = {lhs.dtype, rhs.dtype, out.dtype}
    floats = dtypes <= FLOATS
    if not floats and not dtypes <= INTEGERS:
        raise unsupported(
            raw,
            f"of {lhs.type} and {rhs.type} to {out.dtype} is not compiled",
            "cast both sides to the result's type",
        )
    dtype = "f32" if floats and len(dtypes) > 1 else out.dtype
    rounded = [_algorithm_input(scope, raw, x) for x in (lhs, rhs)]
    operands = [scope.converted(raw, x, dtype) for x in rounded]
    made = scope.emit(raw, kind, operands, TensorType(out.shape, dtype), **attrs)
    return scope.converted(raw, made, out.dtype)


def dot_general(scope: Scope, raw: RawOp) -> Value:
    """Convert a dot_general."""
    attrs = dict(raw.attrs["dot_dimension_numbers"], precision=_precision(raw))
    return _contracted(scope, raw, "dot_general", **attrs)


def _algorithm_input(scope: Scope, raw: RawOp, value: Value) -> Value:
    """Round an operand as the algorithm, if the program names one, asks."""
    asked = (raw.attrs.get("algorithm") or (value.dtype,))[0]
    return scope.converted(raw, value, asked)


def _precision(raw: RawOp) -> str:
    """Return the higher of the two operands' precisions; a preset algorithm counts as one."""
    algorithm = raw.attrs.get("algorithm")
    if algorithm is not None and not _is_known(tuple(algorithm)):
        raise unsupported(
            raw,
            f"with algorithm {'_'.join(algorithm[:3])} is not compiled",
            "use precision 'F32_F32_F32', HIGHEST, HIGH or DEFAULT",
        )
    if algorithm is not None:
        return "HIGHEST"
    asked = raw.attrs.get("precision_config") or ("DEFAULT",)
    return max(asked, key=PRECISIONS.index)


def _is_known(algorithm: tuple[str, ...]) -> bool:
    lhs, rhs, total, *counts = algorithm
    return lhs == rhs and lhs in ALGORITHM_INPUTS and total == "f32" and counts == ["1"] * 3


def dot(scope: Scope, raw: RawOp) -> Value:
    """Write stablehlo.dot (a matrix or vector product) as dot_general."""
    lhs = scope.operands(raw)[0]
    dims = {"lhs_batch": (), "rhs_batch": (), "lhs_contract": (len(lhs.shape) - 1,)}
    attrs = {**raw.attrs, "dot_dimension_numbers": {**dims, "rhs_contract": (0,)}}
    whole = RawOp(raw.name, raw.operands, raw.results, attrs, (), raw.loc)
    return dot_general(scope, whole)


CONV_ATTRS = {
    "strides": "window_strides",
    "padding": "padding",
    "lhs_dilation": "lhs_dilation",
    "rhs_dilation": "rhs_dilation",
    "reversal": "window_reversal",
}


def convolution(scope: Scope, raw: RawOp) -> Value:
    """Write out every attribute: what StableHLO leaves away is 1, 0 or False."""
    n_axes = len(scope.result_type(raw).shape) - 2
    absent = {"padding": ((0, 0),) * n_axes, "reversal": (False,) * n_axes}
    attrs = dict(raw.attrs["dimension_numbers"], precision=_precision(raw))
    for ours, theirs in CONV_ATTRS.items():
        found = raw.attrs.get(theirs)
        attrs[ours] = absent.get(ours, (1,) * n_axes) if found is None else found
    attrs["padding"] = tuple((int(low), int(high)) for low, high in attrs["padding"])
    groups = {"feature_groups": "feature_group_count", "batch_groups": "batch_group_count"}
    attrs |= {ours: raw.attrs[theirs] for ours, theirs in groups.items()}
    return _contracted(scope, raw, "convolution", **attrs)
