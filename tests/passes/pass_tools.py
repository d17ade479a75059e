"""What the pass tests share: hostile inputs, comparison by bits, random Modules.

In: seeds and hypothesis draws. Out: arrays and Modules; asserts that two Modules agree bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from spindle.ir.dtypes import SMALL_FLOATS
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import DTYPES, Module, Op, Region, TensorType, Value
from spindle.ir.rewrite import Builder
from spindle.ir.text import from_text, number, to_text
from spindle.ir.verify import verify
from spindle.options import Options

Pass = Callable[[Module, Options], Module]

ODD = np.array(
    [0x7FC00000, 0x7FC00001, 0xFFC12345, 0x7F800000, 0xFF800000, 0x80000000, 0, 1, 0x80000001]
    + [0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x3F800000, 0xBF800000, 0x4B000001],
    np.uint32,
).view(np.float32)
"""NaNs with payloads, infinities, zeros of both signs, denormals, limits."""

NUMBERS = [0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 100, 2**7, 2**15, 2**16 + 5, 2**24 + 1]
NUMBERS += [2**31, 2**31 - 1, 2**32, 2**32 + 1, 2**40 + 12345, 2**62 + 2**37, 2**63, 2**63 + 2**39]
"""Drawn as they are and with all bits turned; cut to a type's width."""


def hostile(rng: np.random.Generator, type_: TensorType, odd: float = 0.2) -> np.ndarray[Any, Any]:
    """Draw an array of the type, a part `odd` of it from ODD."""
    shape = type_.shape
    if type_.dtype in SMALL_FLOATS:
        words = rng.integers(0, 1 << 16, shape).astype(np.uint16).view(DTYPES[type_.dtype])
        plain = (rng.standard_normal(shape) * 2.0 ** rng.integers(-3, 4)).astype(words.dtype)
        return np.where(rng.random(shape) < odd, bits(words), bits(plain)).view(words.dtype)
    if type_.dtype == "f32":
        plain = (rng.standard_normal(shape) * 2.0 ** rng.integers(-3, 4)).astype(np.float32)
        chosen = rng.random(shape) < odd
        return np.where(chosen, rng.choice(ODD, shape).view(np.uint32), bits(plain)).view(
            np.float32
        )
    if type_.dtype == "i1":
        return np.asarray(rng.random(shape) < 0.5)
    unsigned = f"u{DTYPES[type_.dtype].itemsize}"
    words = np.asarray(rng.choice(np.array(NUMBERS, np.uint64), shape)).astype(unsigned)
    return np.where(rng.random(shape) < 0.5, words, ~words).view(DTYPES[type_.dtype])


def bits(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The bits of an array, as unsigned integers of the elements' own width."""
    array = np.ascontiguousarray(array).reshape(array.shape)
    return array if array.dtype == np.bool_ else array.view(f"u{array.dtype.itemsize}")


def assert_same_bits(
    before: Module,
    after: Module,
    options: Options | None = None,
    *,
    seeds: int = 2,
    odd: float = 0.2,
) -> None:
    """Evaluate both on the same hostile inputs and compare every word of every result."""
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        args = [hostile(rng, value.type, odd * seed) for value in before.body.params]
        wanted, got = evaluate(before, args, options), evaluate(after, args, options)
        for i, (a, b) in enumerate(zip(wanted, got, strict=True)):
            if not np.array_equal(bits(a), bits(b)):
                raise AssertionError(f"result {i} differs:\n{to_text(before)}\n{to_text(after)}")


def module_of(builder: Builder, params: list[Value], results: list[Value]) -> Module:
    """Make a Module of a Builder's ops."""
    return Module("test", Region(tuple(params), tuple(builder.ops), tuple(results)))


def program(lines: str) -> Module:
    """Read the lines of a Module's body."""
    return from_text(f'module "test" {{\n{lines}\n}}\n')


def body_text(module: Module) -> str:
    """The numbered lines of a Module's body, without its frame and indentation."""
    lines = to_text(number(module)).splitlines()[1:-1]
    return "\n".join(line.removeprefix("  ") for line in lines)


def check(apply: Pass, before: str, after: str, options: Options | None = None) -> None:
    """Apply a pass to a program; compare its text with the expected one, and the bits."""
    module = program(before)
    verify(module)
    result = apply(module, options or Options())
    verify(result)
    assert body_text(result) == body_text(program(after))
    assert_same_bits(module, result, options, seeds=3, odd=0.4)


EXTENTS = (1, 2, 3, 4)
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
UNARY = ("negate", "abs", "sqrt", "sign", "floor", "exponential")
INTEGER = ("add", "multiply", "subtract", "and", "or", "xor", "shift_left", "maximum")


class RandomModule:
    """Draws a Module op by op; each `_kind` method appends one op to the pool of values."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.builder = Builder()
        self.params = [Value(self._type()) for _ in range(self._int(2, 4))]
        self.pool = list(self.params)

    def module(self, n_ops: int) -> Module:
        """Append about n_ops ops; the Module returns what nothing reads, and a few more."""
        kinds = [getattr(self, name) for name in dir(self) if name.startswith("op_")]
        for _ in range(n_ops):
            value = self._one(kinds)()
            if value is not None:
                self.pool.append(value)
        read = {value for op in self.builder.ops for value in op.operands}
        results = [value for value in self.pool if value not in read and value not in self.params]
        results += [self._one(self.pool) for _ in range(self._int(0, 2))]
        return module_of(self.builder, self.params, results or self.pool[-1:])

    def _one(self, items: Any) -> Any:
        return self.draw(st.sampled_from(items))

    def _int(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def _shape(self, most: int = 3) -> tuple[int, ...]:
        return tuple(self._one(EXTENTS) for _ in range(self._int(0, most)))

    def _type(self) -> TensorType:
        return TensorType(self._shape(), self._one(("f32", "f32", "f32", "i32")))

    def _pick(self, test: Any) -> Value | None:
        fitting = [value for value in self.pool if test(value)]
        return self._one(fitting) if fitting else None

    def _emit(self, kind: str, operands: Any, shape: Any, dtype: str, **attrs: Any) -> Value:
        return self.builder.emit(kind, operands, TensorType(tuple(shape), dtype), attrs)

    def _like(self, value: Value) -> Value:
        """A value of the same type: from the pool, a splat, or a spread scalar."""
        choice = self._int(0, 3)
        scalar = self._pick(lambda v: v.shape == () and v.dtype == value.dtype)
        if choice == 0:
            return self._splat(value.type)
        if choice == 1 and scalar is not None:
            return self._emit("broadcast_in_dim", (scalar,), value.shape, value.dtype, dims=())
        return self._pick(lambda v: v.type == value.type) or value

    def _splat(self, type_: TensorType) -> Value:
        if type_.dtype == "f32":
            return self.builder.splat(self._one(list(ODD)), type_)
        ones = {"i32": -1, "ui32": 2**32 - 1, "i1": 1}[type_.dtype]
        return self.builder.splat(self._one((0, 1, ones)), type_)

    def op_elementwise(self) -> Value:
        """One or two operands of a pooled type."""
        a = self._one(self.pool)
        if a.dtype == "f32":
            kind = self._one(BINARY + UNARY)
            operands = (a,) if kind in UNARY else self._swapped(a, self._like(a))
        else:
            kind = self._one(INTEGER if a.dtype != "i1" else ("and", "or", "xor"))
            operands = self._swapped(a, self._like(a))
        return self._emit(kind, operands, a.shape, a.dtype)

    def _swapped(self, a: Value, b: Value) -> tuple[Value, Value]:
        return (b, a) if self._int(0, 1) else (a, b)

    def op_compare(self) -> Value:
        """A mask."""
        a = self._one(self.pool)
        return self._emit(
            "compare", (a, self._like(a)), a.shape, "i1", direction=self._one(("GT", "EQ", "LE"))
        )

    def op_select(self) -> Value | None:
        """A choice by a pooled mask."""
        pred = self._pick(lambda v: v.dtype == "i1")
        a = pred and self._pick(lambda v: v.shape == pred.shape and v.dtype == "f32")
        if a is None:
            return None
        return self._emit("select", (pred, a, self._like(a)), a.shape, a.dtype)

    def op_convert(self) -> Value:
        """Another element type."""
        a = self._one(self.pool)
        return self._emit("convert", (a,), a.shape, self._one(("f32", "i32")))

    def op_broadcast(self) -> Value | None:
        """More axes, in any order, and axes of extent 1 repeated."""
        a = self._pick(lambda v: len(v.shape) < 3)
        if a is None:
            return None
        rank = self._int(len(a.shape), 3)
        dims = tuple(self.draw(st.permutations(range(rank)))[: len(a.shape)])
        shape = [self._one(EXTENTS) for _ in range(rank)]
        for extent, dim in zip(a.shape, dims, strict=True):
            shape[dim] = extent if extent > 1 else shape[dim]
        return self._emit("broadcast_in_dim", (a,), shape, a.dtype, dims=dims)

    def op_iota(self) -> Value:
        """Counting along one axis."""
        shape = (self._one(EXTENTS), *self._shape(2))
        return self._emit(
            "iota", (), shape, self._one(("f32", "i32")), dim=self._int(0, len(shape) - 1)
        )

    def op_reshape(self) -> Value:
        """Flattened, or with an axis of extent 1 more."""
        a = self._one(self.pool)
        at = self._int(0, len(a.shape))
        longer = (*a.shape[:at], 1, *a.shape[at:])
        squeezed = tuple(n for n in a.shape if n != 1)
        shape = self._one((longer, squeezed, (a.type.size,)))
        return self._emit("reshape", (a,), shape if len(shape) < 5 else squeezed, a.dtype)

    def op_transpose(self) -> Value:
        """Any order of axes."""
        a = self._one(self.pool)
        order = tuple(self.draw(st.permutations(range(len(a.shape)))))
        shape = [a.shape[axis] for axis in order]
        return self._emit("transpose", (a,), shape, a.dtype, permutation=order)

    def op_reduce(self) -> Value:
        """Over any axes, from a constant or a computed init."""
        a = self._one(self.pool)
        dims = tuple(axis for axis in range(len(a.shape)) if self._int(0, 1))
        kept = [n for axis, n in enumerate(a.shape) if axis not in dims]
        kinds = ("and", "or") if a.dtype == "i1" else ("add", "multiply", "maximum", "minimum")
        scalar = self._pick(lambda v: v.shape == () and v.dtype == a.dtype)
        init = scalar if scalar is not None else self._splat(TensorType((), a.dtype))
        return self._emit("reduce", (a, init), kept, a.dtype, dims=dims, reducer=self._one(kinds))

    def op_dot(self) -> Value | None:
        """One contracted axis, perhaps one batch axis, in any place."""
        a = self._pick(lambda v: v.dtype == "f32" and 1 <= len(v.shape) <= 3)
        if a is None:
            return None
        k = self._int(0, len(a.shape) - 1)
        b_shape = [self._one(EXTENTS) for _ in range(self._int(1, 3))]
        j = self._int(0, len(b_shape) - 1)
        b_shape[j] = a.shape[k]
        batch = ((k + 1) % len(a.shape), (j + 1) % len(b_shape))
        batched = len(a.shape) == len(b_shape) == 3 and self._int(0, 1)
        if batched:
            b_shape[batch[1]] = a.shape[batch[0]]
        b = self._pick(lambda v: v.type == TensorType(tuple(b_shape), "f32"))
        b = b if b is not None else self._new_param(tuple(b_shape))
        return self._dot(a, b, (k, j), batch if batched else None)

    def _dot(self, a: Value, b: Value, contract: Any, batch: Any) -> Value:
        attrs: dict[str, Any] = {"precision": self._one(("DEFAULT", "HIGHEST", "float32"))}
        shape: list[int] = []
        for i, (side, value) in enumerate((("lhs", a), ("rhs", b))):
            used = () if batch is None else (batch[i],)
            attrs |= {f"{side}_batch": used, f"{side}_contract": (contract[i],)}
            gone = (*used, contract[i])
            shape += [n for axis, n in enumerate(value.shape) if axis not in gone]
        if batch is not None:
            shape.insert(0, a.shape[batch[0]])
        return self._emit("dot_general", (a, b), shape, "f32", **attrs)

    def _new_param(self, shape: tuple[int, ...]) -> Value:
        self.params.append(Value(TensorType(shape, "f32")))
        self.pool.append(self.params[-1])
        return self.params[-1]

    def op_slice(self) -> Value:
        """A part along every axis."""
        a = self._one(self.pool)
        start = tuple(self._int(0, n - 1) for n in a.shape)
        strides = tuple(self._int(1, 2) for _ in a.shape)
        bounds = zip(start, a.shape, strides, strict=True)
        shape = [-(-(n - first) // step) for first, n, step in bounds]
        return self._emit(
            "slice", (a,), shape, a.dtype, start=start, limit=a.shape, strides=strides
        )

    def op_concatenate(self) -> Value | None:
        """A value twice."""
        a = self._pick(lambda v: len(v.shape) >= 1 and v.type.size < 100)
        if a is None:
            return None
        shape = (a.shape[0] * 2, *a.shape[1:])
        return self._emit("concatenate", (a, self._like(a)), shape, a.dtype, dim=0)

    def op_while(self) -> Value:
        """Two trips that change one value and carry another unchanged."""
        a = self._one(self.pool)
        carried = (Value(TensorType((), "i32")), Value(a.type), Value(a.type))
        zero = self.builder.splat(0, carried[0].type)
        results = tuple(Value(value.type) for value in carried)
        regions = (_below_two(carried), _doubled(carried))
        operands = (zero, a, a)
        self.builder.add(Op("while", operands, results, {"trip_count": 2}, regions))
        self.pool.append(results[2])
        return results[1]


def _renewed(values: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(Value(value.type) for value in values)


def _below_two(carried: tuple[Value, ...]) -> Region:
    params, builder = _renewed(carried), Builder()
    two = builder.splat(2, params[0].type)
    test = builder.emit("compare", (params[0], two), TensorType((), "i1"), {"direction": "LT"})
    return Region(params, tuple(builder.ops), (test,))


def _doubled(carried: tuple[Value, ...]) -> Region:
    params, builder = _renewed(carried), Builder()
    one = builder.splat(1, params[0].type)
    count = builder.emit("add", (params[0], one), params[0].type)
    twice = builder.emit("add", (params[1], params[1]), params[1].type)
    changed = builder.emit("maximum", (twice, params[2]), params[1].type)
    return Region(params, tuple(builder.ops), (count, changed, params[2]))


@st.composite
def modules(draw: Any, most: int = 14) -> Module:
    """Hypothesis strategy: a valid Module of up to `most` random ops."""
    return RandomModule(draw).module(draw(st.integers(1, most)))
