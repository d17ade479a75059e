"""Module: one chip's program as a plain SSA graph of tensor ops, static shapes.

In: made by frontends/ from StableHLO. Out: read by passes/, schedule/ and ir/evaluate.py.
Op kinds carry StableHLO's names without the prefix; docs/spec/module.md lists each kind with its
attributes. Values are compared by identity; Modules are never changed in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np

DTYPES: dict[str, np.dtype[Any]] = {
    "f32": np.dtype(np.float32),
    "i32": np.dtype(np.int32),
    "ui32": np.dtype(np.uint32),
    "i1": np.dtype(np.bool_),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "f16": np.dtype(np.float16),
    "i8": np.dtype(np.int8),
    "ui8": np.dtype(np.uint8),
    "i16": np.dtype(np.int16),
    "ui16": np.dtype(np.uint16),
    "i64": np.dtype(np.int64),
    "ui64": np.dtype(np.uint64),
}
"""Types a Module may hold. On the machine i1 is a 32-bit word, 0 or 1 (docs/spec/image.md); the
kernels know the first four, words of ir/held.py hold the others."""

WORD = 4
PAIRS = frozenset({"i64", "ui64"})
"""Types whose elements are two words."""


@dataclass(frozen=True)
class TensorType:
    """Shape (elements per axis) and dtype name, a key of DTYPES."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """Number of elements."""
        n = 1
        for extent in self.shape:
            n *= extent
        return n

    @property
    def n_words(self) -> int:
        """Words on the machine: one an element, two of 64 bits."""
        return self.size * (2 if self.dtype in PAIRS else 1)

    @property
    def size_bytes(self) -> int:
        """Bytes on the machine."""
        return self.n_words * WORD

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True, eq=False)
class Value:
    """One SSA value; `name` is unique within its Module once `number` has run."""

    type: TensorType
    name: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape

    @property
    def dtype(self) -> str:
        return self.type.dtype


@dataclass(frozen=True, eq=False)
class Op:
    """One operation. `loc` is the user's line, "model.py:41 (loss)", or ""."""

    kind: str
    operands: tuple[Value, ...]
    results: tuple[Value, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    loc: str = ""

    @property
    def result(self) -> Value:
        """The only result."""
        (value,) = self.results
        return value


@dataclass(frozen=True, eq=False)
class Region:
    """A body: parameters, ops in order, returned values."""

    params: tuple[Value, ...]
    ops: tuple[Op, ...]
    returns: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class Module:
    """A program of one chip.

    donated: {result index: parameter index}: the result may live in the parameter's buffer.
    param_names, result_names: paths for messages ("params['w1']"), "" where unknown.
    mesh: {axis: size} of the devices it runs on; {} is one device.
    """

    name: str
    body: Region
    donated: Mapping[int, int] = field(default_factory=dict)
    param_names: tuple[str, ...] = ()
    result_names: tuple[str, ...] = ()
    mesh: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DotNumerics:
    """How a dot is computed (docs/numerics.md): written by fix_numerics, read by all below.

    k_block: 0 where a row has one exponent and one sum. swapped: the operands were exchanged after
    balancing was fixed, so d_k is the original one: the lhs here is the rhs of the definition. It
    says nothing in modes that do not balance.
    """

    mode: str  # "bfp28" | "bfp16" | "bfp13" | "float32"
    mantissa: int = 28
    k_block: int = 512
    swapped: bool = False


@dataclass(frozen=True)
class GivenNumerics:
    """A dot that is told its exponents by operands (docs/spec/convolution.md, 6)."""

    mode: str = "bfp28"
    mantissa: int = 28
    k_block: int = 512


@dataclass(frozen=True)
class ConvNumerics:
    """How a convolution is computed (docs/spec/convolution.md): written by fix_numerics."""

    mode: str  # "bfp28" | "bfp16" | "bfp13" | "float32"
    form: str  # "forward" | "weight_gradient"
    mantissa: int = 28
    k_block: int = 512


@dataclass(frozen=True)
class ReduceTree:
    """Order of a float sum or product: sequential blocks, then neighbours level by level."""

    block: int = 256


def walk(region: Region) -> Iterator[Op]:
    """Yield every op of a region, outer before inner."""
    for op in region.ops:
        yield op
        for inner in op.regions:
            yield from walk(inner)


def constant(value: np.ndarray[Any, Any], dtype: str, loc: str = "") -> Op:
    """Make a constant op; `value` is converted to the dtype's NumPy type."""
    array = np.ascontiguousarray(np.asarray(value, DTYPES[dtype]))
    result = Value(TensorType(tuple(np.shape(value)), dtype))
    return Op("constant", (), (result,), {"value": array.reshape(np.shape(value))}, loc=loc)
