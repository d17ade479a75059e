"""Meaning of the elementwise kinds against JAX on CPU: integers bit for bit, floats closely."""

from __future__ import annotations

import itertools

import jax
import numpy as np
import pytest
from jax import lax

from spindle.ir.evaluate_elementwise import ELEMENTWISE
from spindle.ir.graph import Op, TensorType, Value

INTS = [0, 1, 2, 3, 7, 31, 32, 33, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 2, 2**32 - 7, 2**32 - 32]
FLOATS = np.array(
    [0, -0.0, 1, -1, 0.5, 2.5, -2.5, 3.25, 100, -100, 1e-30, 1e30, np.inf, -np.inf, np.nan],
    np.float32,
)

INTEGER_BINARY = {
    "add": lax.add,
    "subtract": lax.sub,
    "multiply": lax.mul,
    "divide": lax.div,
    "remainder": lax.rem,
    "maximum": lax.max,
    "minimum": lax.min,
    "and": lax.bitwise_and,
    "or": lax.bitwise_or,
    "xor": lax.bitwise_xor,
    "shift_left": lax.shift_left,
    "shift_right_logical": lax.shift_right_logical,
    "shift_right_arithmetic": lax.shift_right_arithmetic,
}
FLOAT_BINARY = {
    "divide": lax.div,
    "remainder": lax.rem,
    "maximum": lax.max,
    "minimum": lax.min,
    "power": lax.pow,
}
FLOAT_UNARY = {
    "sign": lax.sign,
    "floor": lax.floor,
    "ceil": lax.ceil,
    "sqrt": lax.sqrt,
    "rsqrt": lax.rsqrt,
    "exponential": lax.exp,
    "exponential_minus_one": lax.expm1,
    "log": lax.log,
    "log_plus_one": lax.log1p,
    "tanh": lax.tanh,
    "logistic": lax.logistic,
    "negate": lax.neg,
    "abs": lax.abs,
}


def evaluate_one(kind: str, out: str, *arrays: np.ndarray) -> np.ndarray:
    op = Op(kind, (), (Value(TensorType(arrays[0].shape, out)),))
    with np.errstate(all="ignore"):
        return ELEMENTWISE[kind](op, *arrays)


def pairs(values: np.ndarray) -> list[np.ndarray]:
    return [np.array(side) for side in zip(*itertools.product(values, values), strict=True)]


@pytest.mark.parametrize("kind", INTEGER_BINARY)
@pytest.mark.parametrize(("dtype", "name"), [(np.int32, "i32"), (np.uint32, "ui32")])
def test_integers_as_xla(kind, dtype, name):
    a, b = pairs(np.array(INTS, np.uint32).view(dtype))
    expected = np.asarray(jax.jit(INTEGER_BINARY[kind])(a, b))
    assert (evaluate_one(kind, name, a, b) == expected).all()


@pytest.mark.parametrize("kind", FLOAT_BINARY)
def test_float_pairs_as_xla(kind):
    a, b = pairs(FLOATS)
    expected = np.asarray(jax.jit(FLOAT_BINARY[kind])(a, b))
    np.testing.assert_allclose(evaluate_one(kind, "f32", a, b), expected, rtol=1e-5, atol=1e-37)


@pytest.mark.parametrize("kind", FLOAT_UNARY)
def test_float_functions_as_xla(kind):
    expected = np.asarray(jax.jit(FLOAT_UNARY[kind])(FLOATS))
    np.testing.assert_allclose(evaluate_one(kind, "f32", FLOATS), expected, rtol=1e-5, atol=1e-37)


@pytest.mark.parametrize(("target", "name"), [(np.int32, "i32"), (np.uint32, "ui32")])
def test_float_to_integer_as_xla(target, name):
    x = np.array([0, -0.7, 1.9, -1.9, 3e9, -3e9, 1e20, np.inf, -np.inf, np.nan], np.float32)
    expected = np.asarray(jax.jit(lambda v: lax.convert_element_type(v, target))(x))
    assert (evaluate_one("convert", name, x) == expected).all()
