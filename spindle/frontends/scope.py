"""Scope: the region under construction while ingest turns raw ops into a Module.

In: value numbers of jaxlib_adapter's RawProgram. Out: graph Values and the list of Ops so far.
Also here: what a tensor type must be, and the sentences for those that may not be.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spindle.errors import UnsupportedError
from spindle.frontends.jaxlib_adapter import RawOp, RawType
from spindle.ir.graph import DTYPES, PAIRS, Op, TensorType, Value, constant

Range = tuple[int, int]
"""Smallest and largest possible value of a narrowed tensor, both inclusive."""


@dataclass
class Scope:
    """One region being built.

    values: {raw value number: Value}; defs: {Value: its Op}, for recognising constants;
    ranges: bounds of tensors that StableHLO calls 64-bit and the Module holds as ui32.
    doubles: data of float64 constants, which may be converted and nothing else.
    """

    types: Mapping[int, RawType]
    values: MutableMapping[int, Value] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    defs: dict[Value, Op] = field(default_factory=dict)
    ranges: dict[Value, Range] = field(default_factory=dict)
    doubles: dict[int, np.ndarray[Any, Any]] = field(default_factory=dict)

    def operands(self, raw: RawOp) -> tuple[Value, ...]:
        """Return the Values of an op's operands."""
        return tuple(self.value(number, raw) for number in raw.operands)

    def value(self, number: int, user: RawOp) -> Value:
        """Return the Value of a number; raise for `user` where it has no form in a Module."""
        return self.checked(number, f"{user.name} takes", user.loc)

    def checked(self, number: int, what: str, loc: str) -> Value:
        """Return the Value of a number. Constants alone can be without: by type or by data."""
        if number not in self.values:
            tensor_type(self.types[number], what, loc)
            raise UnsupportedError(
                f"{what} a constant {self.types[number]} whose data cannot be read",
                where=loc,
                fix="write its data out as dense<..>, or pass it as an argument",
            )
        return self.values[number]

    def lifted(self, number: int, loc: str) -> Value:
        """Return the known Value of a number in the program's type, which may have 64 bits."""
        value, wanted = self.values[number], self.types[number].dtype
        if wanted not in PAIRS or value.dtype == wanted:
            return value
        maker = self.defs.get(value)
        if maker is not None and maker.kind == "constant":
            return self.append(constant(maker.attrs["value"], wanted, loc)).result
        out = TensorType(value.shape, wanted)
        return self.append(Op("convert", (value,), (Value(out),), loc=loc)).result

    def result_type(self, raw: RawOp) -> TensorType:
        """Return the checked type of an op's only result."""
        (number,) = raw.results
        return tensor_type(self.types[number], f"{raw.name} makes", raw.loc)

    def emit(
        self, raw: RawOp, kind: str, operands: Sequence[Value], out: TensorType, **attrs: Any
    ) -> Value:
        """Append an op with one result and return that result."""
        return self.append(Op(kind, tuple(operands), (Value(out),), attrs, loc=raw.loc)).result

    def constant(self, raw: RawOp, value: np.ndarray[Any, Any], dtype: str) -> Value:
        """Append a constant and return its value."""
        return self.append(constant(value, dtype, raw.loc)).result

    def converted(self, raw: RawOp, value: Value, dtype: str) -> Value:
        """Convert a value, where its type is another."""
        if value.dtype == dtype:
            return value
        return self.emit(raw, "convert", (value,), TensorType(value.shape, dtype))

    def append(self, op: Op) -> Op:
        """Append a ready op."""
        self.ops.append(op)
        self.defs.update((result, op) for result in op.results)
        return op

    def broadcast(self, raw: RawOp, value: Value, shape: tuple[int, ...]) -> Value:
        """Spread a scalar over `shape`; other values are returned as they are."""
        if value.shape == shape:
            return value
        out = TensorType(shape, value.dtype)
        return self.emit(raw, "broadcast_in_dim", (value,), out, dims=())


def tensor_type(raw: RawType, what: str, loc: str) -> TensorType:
    """Return the Module's type; raise UnsupportedError where the machine has none.

    `what` begins the sentence: "stablehlo.add makes", "argument x is".
    """
    shape = tuple(extent for extent in raw.shape if extent is not None)
    if len(shape) != len(raw.shape):
        raise UnsupportedError(
            f"{what} {raw}, which has a dynamic shape",
            where=loc,
            fix="give every axis a number (Spindle compiles once per shape)",
        )
    if raw.dtype not in DTYPES:
        raise UnsupportedError(
            f"{what} {raw}",
            where=loc,
            limit=f"tensors are {', '.join(sorted(DTYPES))}",
            fix=_dtype_hint(raw.dtype),
        )
    return TensorType(shape, raw.dtype)


def _dtype_hint(dtype: str) -> str:
    if dtype == "f64":
        return "cast to float32, or leave jax_enable_x64 off"
    if dtype.startswith("complex"):
        return "compute with real and imaginary parts as two float32 arrays"
    return "cast to float32 or int32 first"
