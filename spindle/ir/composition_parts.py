"""What the compositions are written with: Ops, and the steps that several of them share.

In: an Ops, which applies kinds to arrays (the evaluator) or writes them into a Module
(passes/expand_functions), and operands. Out: the result of a step (docs/spec/functions.md).
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

V = TypeVar("V")

NAN = float("nan")


class Ops(Protocol[V]):
    """What a composition is written with."""

    def op(self, kind: str, *operands: V, dtype: str = "", **attrs: Any) -> V:
        """Apply an elementwise kind; `dtype` is the result's, the last operand's by default."""

    def splat(self, value: Any, like: V, dtype: str = "") -> V:
        """Return a constant of the shape (and type) of `like`."""

    def compare(self, direction: str, a: V, b: V) -> V:
        """Compare."""

    def select(self, pred: V, on_true: V, on_false: V) -> V:
        """Select."""


def bits(o: Ops[V], x: V) -> V:
    """Return the bits of a float."""
    return o.op("bitcast_convert", x, dtype="ui32")


def as_float(o: Ops[V], word: V) -> V:
    """Return the float of a word."""
    return o.op("bitcast_convert", word, dtype="f32")


def with_constant(o: Ops[V], kind: str, x: V, value: Any) -> V:
    """Apply a kind of two operands to x and a constant."""
    return o.op(kind, x, o.splat(value, x))


def sign_of(o: Ops[V], x: V) -> V:
    """Return the sign bit of a float, in its place."""
    return with_constant(o, "and", bits(o, x), 0x80000000)


def flip(o: Ops[V], x: V, sign: V) -> V:
    """Negate x where the sign bit is set."""
    return as_float(o, o.op("xor", bits(o, x), sign))


def unless_nan(o: Ops[V], x: V, y: V) -> V:
    """Return y, the one NaN where x is NaN."""
    return o.select(o.compare("NE", x, x), o.splat(NAN, y), y)


def polynomial(o: Ops[V], z: V, coefficients: tuple[float, ...]) -> V:
    """Horner's rule: a product and a sum, each rounded, per coefficient."""
    total = o.splat(coefficients[-1], z)
    for value in reversed(coefficients[:-1]):
        total = o.op("add", o.op("multiply", total, z), o.splat(value, z))
    return total


def high_word(o: Ops[V], a: V, b: V) -> V:
    """Return the upper 32 bits of the product of two ui32."""
    a_low, b_low = with_constant(o, "and", a, 0xFFFF), with_constant(o, "and", b, 0xFFFF)
    a_high = with_constant(o, "shift_right_logical", a, 16)
    b_high = with_constant(o, "shift_right_logical", b, 16)
    cross, other = o.op("multiply", a_low, b_high), o.op("multiply", a_high, b_low)
    middle = with_constant(o, "shift_right_logical", o.op("multiply", a_low, b_low), 16)
    for part in (cross, other):
        middle = o.op("add", middle, with_constant(o, "and", part, 0xFFFF))
    total = o.op("multiply", a_high, b_high)
    for part in (cross, other, middle):
        total = o.op("add", total, with_constant(o, "shift_right_logical", part, 16))
    return total


def count_leading_zeros(o: Ops[V], x: V, width: int = 32) -> V:
    """Spread the first one to the right; what is still zero of `width` bits is counted."""
    amount = 1
    while amount < width:
        x = o.op("or", x, with_constant(o, "shift_right_logical", x, amount))
        amount *= 2
    return o.op("popcnt", o.op("not", x))
