"""Words that hold small types: rounded or wrapped to the type, and turned into its own bits.

In: an Emitter, words (f32, i32 or ui32) and the held type's name (ir/held.py). Out: words. Floats
are rounded to nearest even by integer ops, denormals of the type kept, every NaN made 0x7fc00000.
"""

from __future__ import annotations

from spindle.ir.composition_parts import as_float, bits, unless_nan, with_constant
from spindle.ir.dtypes import SIGNED, bit_width
from spindle.ir.graph import Value
from spindle.ir.held import HELD
from spindle.passes.emit import Emitter
from spindle.passes.facts import has_one_nan

F16_NORMAL = 0x38800000
"""2^-14, the smallest normal float16, as a float32."""
F16_OVERFLOW = 0x47800000
"""2^16, the first power of two that float16 lacks."""
F16_BIAS = 112 << 23
"""Of float32's exponent, beyond that of float16."""
INF = 0x7F800000


def fit(emit: Emitter, word: Value, dtype: str) -> Value:
    """Return what the type makes of words of any value: rounded once, or mod 2^n."""
    if dtype == "bf16":
        return _round_bf16(emit, word)
    return _round_f16(emit, word) if dtype == "f16" else wrap(emit, word, dtype)


def wrap(emit: Emitter, word: Value, dtype: str) -> Value:
    """Return the value mod 2^n of i32 or ui32 words, as words of the type."""
    if HELD[dtype] == "ui32":
        return with_constant(emit, "and", as_type(emit, word, "ui32"), _mask(dtype))
    unused = 32 - bit_width(dtype)
    left = with_constant(emit, "shift_left", as_type(emit, word, "i32"), unused)
    return with_constant(emit, "shift_right_arithmetic", left, unused)


def unsigned(emit: Emitter, word: Value, dtype: str) -> Value:
    """Return the lowest bits of an integer's word, in the word's own type."""
    return with_constant(emit, "and", word, _mask(dtype)) if dtype in SIGNED else word


def as_type(emit: Emitter, word: Value, dtype: str) -> Value:
    """Convert, where the type is another."""
    return word if word.dtype == dtype else emit.op("convert", word, dtype=dtype)


def _mask(dtype: str) -> int:
    return (1 << bit_width(dtype)) - 1


def half_even(emit: Emitter, word: Value, cut: int) -> Value:
    """Round away the lowest `cut` bits of a word; a carry runs into the exponent."""
    odd = with_constant(emit, "shift_right_logical", word, cut)
    half = with_constant(emit, "add", with_constant(emit, "and", odd, 1), (1 << (cut - 1)) - 1)
    total = emit.op("add", word, half)
    return with_constant(emit, "and", total, 0xFFFFFFFF << cut & 0xFFFFFFFF)


def _round_bf16(emit: Emitter, x: Value) -> Value:
    """The one NaN comes out as it went in."""
    value = as_float(emit, half_even(emit, bits(emit, x), 16))
    return value if has_one_nan(emit.builder, x) else unless_nan(emit, x, value)


def _round_f16(emit: Emitter, x: Value) -> Value:
    """Cut 13 bits; below the normal numbers the unit is 2^-24, that of float32 from 0.5 on."""
    word = bits(emit, x)
    sign, size = (with_constant(emit, "and", word, mask) for mask in (1 << 31, (1 << 31) - 1))
    normal = half_even(emit, size, 13)
    large = emit.compare("GE", normal, emit.splat(F16_OVERFLOW, normal))
    normal = emit.select(large, emit.splat(INF, normal), normal)
    lifted = with_constant(emit, "add", as_float(emit, size), 0.5)
    small = bits(emit, with_constant(emit, "subtract", lifted, 0.5))
    is_normal = emit.compare("GE", size, emit.splat(F16_NORMAL, size))
    signed = emit.op("or", emit.select(is_normal, normal, small), sign)
    return unless_nan(emit, x, as_float(emit, signed))


# Bits of a type's own width, in ui32


def own_bits(emit: Emitter, word: Value, dtype: str) -> Value:
    """Return the bits of a value, upper ones 0."""
    if dtype == "bf16":
        return with_constant(emit, "shift_right_logical", bits(emit, word), 16)
    if dtype == "f16":
        return _bits_of_f16(emit, word)
    whole = word if word.dtype == "ui32" else emit.op("bitcast_convert", word, dtype="ui32")
    return with_constant(emit, "and", whole, _mask(dtype)) if dtype in HELD else whole


def from_own_bits(emit: Emitter, raw: Value, dtype: str) -> Value:
    """Return the words of the values that have these bits."""
    if dtype == "bf16":
        return as_float(emit, with_constant(emit, "shift_left", raw, 16))
    if dtype == "f16":
        return _f16_of_bits(emit, raw)
    if dtype in HELD:
        return wrap(emit, raw, dtype)
    return raw if dtype == "ui32" else emit.op("bitcast_convert", raw, dtype=dtype)


def _bits_of_f16(emit: Emitter, x: Value) -> Value:
    """Move the fields of a float16's float32; a denormal counts units of 2^-24."""
    word = bits(emit, x)
    size = with_constant(emit, "and", word, (1 << 31) - 1)
    finite = with_constant(emit, "subtract", size, F16_BIAS)
    special = emit.compare("GE", size, emit.splat(INF, size))
    moved = emit.select(special, with_constant(emit, "and", size, 0x0FFFFFFF), finite)
    moved = with_constant(emit, "shift_right_logical", moved, 13)
    units = with_constant(emit, "multiply", as_float(emit, size), 2.0**24)
    small = emit.compare("LT", size, emit.splat(F16_NORMAL, size))
    low = emit.select(small, emit.op("convert", units, dtype="ui32"), moved)
    sign = with_constant(emit, "shift_right_logical", word, 16)
    return emit.op("or", low, with_constant(emit, "and", sign, 0x8000))


def _f16_of_bits(emit: Emitter, raw: Value) -> Value:
    size = with_constant(emit, "and", raw, 0x7FFF)
    wide = with_constant(emit, "shift_left", size, 13)
    finite = with_constant(emit, "add", wide, F16_BIAS)
    special = emit.compare("GE", size, emit.splat(0x7C00, size))
    word = emit.select(special, with_constant(emit, "or", wide, INF), finite)
    units = emit.op("convert", size, dtype="f32")
    denormal = bits(emit, with_constant(emit, "multiply", units, 2.0**-24))
    small = emit.compare("LT", size, emit.splat(0x400, size))
    sign = with_constant(emit, "shift_left", with_constant(emit, "and", raw, 0x8000), 16)
    return as_float(emit, emit.op("or", emit.select(small, denormal, word), sign))
