"""Random bits: XLA's generators bit for bit, JAX's other keys, dropout."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from expand_tools import same_as_jax, same_everywhere

from spindle.errors import UnsupportedError
from spindle.frontends.ingest import ingest
from spindle.ir.evaluate import evaluate

PHILOX, THREEFRY = jax.lax.RandomAlgorithm.RNG_PHILOX, jax.lax.RandomAlgorithm.RNG_THREE_FRY
DEFAULT = jax.lax.RandomAlgorithm.RNG_DEFAULT
KEY = np.array([5, 6, 0xFFFFFFFE, 0xFFFFFFFF], np.uint32)
"""Its counter carries into the upper half."""


@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (5, 3, 1)])
@pytest.mark.parametrize(
    ("algorithm", "dtype"),
    [(PHILOX, np.uint32), (THREEFRY, np.uint32), (DEFAULT, np.uint8), (THREEFRY, np.uint16)],
)
def test_bits_are_xlas(algorithm: Any, dtype: Any, shape: tuple[int, ...]) -> None:
    def fn(key: Any) -> Any:
        return jax.lax.rng_bit_generator(key, shape, dtype, algorithm=algorithm)

    same_as_jax(fn, (KEY,))


@pytest.mark.parametrize("algorithm", [PHILOX, THREEFRY])
def test_64_bits_are_xlas(algorithm: Any) -> None:
    def fn(key: Any) -> Any:
        return jax.lax.rng_bit_generator(key, (5, 3), np.uint64, algorithm=algorithm)

    with jax.enable_x64(True):
        same_as_jax(fn, (KEY,))


@pytest.mark.parametrize("algorithm", [PHILOX, THREEFRY])
def test_bits_on_native(algorithm: Any) -> None:
    def fn(key: Any) -> Any:
        key, first = jax.lax.rng_bit_generator(key, (37, 5), np.uint32, algorithm=algorithm)
        return first, jax.lax.rng_bit_generator(key, (9,), np.uint16, algorithm=algorithm)

    same_everywhere(fn, (KEY,))


GENERATOR = """func.func @main(%s: tensor<{n}xui64>) -> (tensor<{n}xui64>, tensor<9x{t}>) {{
  %r, %b = stablehlo.rng_bit_generator %s, algorithm = {algorithm}
    : (tensor<{n}xui64>) -> (tensor<{n}xui64>, tensor<9x{t}>)
  return %r, %b : tensor<{n}xui64>, tensor<9x{t}>
}}"""


def test_a_state_of_three_has_the_whole_counter() -> None:
    short = ingest(GENERATOR.format(n=2, t="ui32", algorithm="PHILOX"))
    long = ingest(GENERATOR.format(n=3, t="ui32", algorithm="PHILOX"))
    two, three = (np.array(x, np.uint64) for x in ([7, 2**64 - 2], [7, 2**64 - 2, 7]))
    (state, bits), (state3, bits3) = evaluate(short, [two]), evaluate(long, [three])
    assert np.array_equal(bits, bits3)
    assert state.tolist() == [7, 1] and state3.tolist() == [7, 1, 8]


@pytest.mark.parametrize(("n", "t", "algorithm"), [(3, "ui32", "THREE_FRY"), (2, "f32", "PHILOX")])
def test_other_states_and_types_are_refused(n: int, t: str, algorithm: str) -> None:
    with pytest.raises(UnsupportedError, match=rf"rng_bit_generator of {t}\[9\] from a state of"):
        ingest(GENERATOR.format(n=n, t=t, algorithm=algorithm))


@pytest.mark.parametrize("impl", ["rbg", "unsafe_rbg", "threefry2x32"])
def test_every_kind_of_key(impl: str) -> None:
    def fn(data: Any) -> Any:
        first, second = jax.random.split(jax.random.wrap_key_data(data, impl=impl))
        draws = jax.random.uniform(first, (3, 5)), jax.random.randint(second, (4,), 0, 10)
        folded = jax.random.fold_in(first, 3)
        more = jax.random.bernoulli(folded, 0.3, (7,))
        half = jax.random.uniform(folded, (5,), jnp.bfloat16), jax.random.bits(first, (3,), "uint8")
        return draws, more, half, jax.random.key_data(second)

    data = np.asarray(jax.random.key_data(jax.random.key(42, impl=impl)))
    same_as_jax(fn, (data,), rtol=1e-6)


@pytest.mark.parametrize("impl", ["rbg", "threefry2x32"])
def test_training_step_with_dropout(impl: str) -> None:
    def loss(w: Any, x: Any, key: Any) -> Any:
        kept = jax.random.bernoulli(key, 0.8, x.shape)
        return jnp.mean((jnp.where(kept, x / 0.8, 0) @ w) ** 2)

    def step(w: Any, x: Any, data: Any) -> Any:
        key, now = jax.random.split(jax.random.wrap_key_data(data, impl=impl))
        value, grad = jax.value_and_grad(loss)(w, x, now)
        return w - 0.1 * grad, jax.random.key_data(key), value

    rng = np.random.default_rng(0)
    w, x = (rng.normal(size=s).astype(np.float32) for s in ((8, 3), (6, 8)))
    data = np.asarray(jax.random.key_data(jax.random.key(1, impl=impl)))
    same_everywhere(step, (w, x, data), rtol=1e-5, atol=1e-6)
