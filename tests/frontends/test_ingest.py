"""JAX functions go through lowering, ingest and the evaluator, and are compared with JAX on CPU."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax._src.interpreters import mlir as jax_mlir

from spindle.errors import UnsupportedError, UserError
from spindle.frontends.ingest import ingest
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import Module, Op, walk
from spindle.ir.verify import verify
from spindle.options import Options
from spindle.tracing import enable_donation

RNG = np.random.default_rng(0)


def lower(fn: Callable[..., Any], *args: Any, donate: tuple[int, ...] = ()) -> Any:
    enable_donation()
    jitted = jax.jit(fn, donate_argnums=donate, keep_unused=True)
    return jitted.trace(*args).lower(lowering_platforms=("spinnaker",))


def text(fn: Callable[..., Any], *args: Any, donate: tuple[int, ...] = ()) -> str:
    operation = lower(fn, *args, donate=donate).compiler_ir("stablehlo").operation
    return str(operation.get_asm(enable_debug_info=True))


def flat(tree: Any) -> list[np.ndarray[Any, Any]]:
    leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(tree)]
    keys = [jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) for leaf in leaves]
    pairs = zip(leaves, keys, strict=True)
    return [np.asarray(jax.random.key_data(leaf) if key else leaf) for leaf, key in pairs]


def check(fn: Callable[..., Any], *args: Any, rtol: float = 1e-5, atol: float = 1e-6) -> Module:
    """Compare evaluate(ingest(fn)) with fn on CPU and return the Module."""
    module = ingest(text(fn, *args))
    verify(module)
    ours = evaluate(module, flat(args), Options())
    theirs = flat(jax.jit(fn)(*args))
    assert len(ours) == len(theirs)
    for got, expected in zip(ours, theirs, strict=True):
        assert got.dtype == expected.dtype and got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol)
    return module


def ops(module: Module, kind: str) -> list[Op]:
    return [op for op in walk(module.body) if op.kind == kind]


def gaussian(*shape: int) -> np.ndarray[Any, Any]:
    return RNG.normal(size=shape).astype(np.float32)


UNARY = [
    jnp.negative, jnp.abs, jnp.sign, jnp.floor, jnp.ceil, jnp.exp, jnp.expm1, jnp.tanh,
    jax.nn.sigmoid, jnp.isfinite, jnp.square, jax.nn.relu, jax.nn.gelu, jax.nn.silu,
    jax.scipy.special.erf, jnp.sum, jnp.max, lambda x: jnp.min(x, 1), lambda x: jnp.prod(x, 0),
    lambda x: jnp.all(x > 0, axis=1), lambda x: jnp.any(x > 1), lambda x: x.T, lambda x: x[1:, ::2],
    lambda x: jnp.pad(x, ((1, 2), (0, 3)), constant_values=7), lambda x: x.astype(jnp.int32),
    lambda x: jnp.clip(x, -0.5, 0.5), lambda x: jnp.where(x.sum() > 0, x, -x), jax.nn.softmax,
    lambda x: jnp.concatenate([x, x * 2], 1),
    lambda x: jax.lax.pad(x, 0.0, ((-1, 2, 0), (3, -1, 0))),
    lambda x: jnp.log1p(jnp.abs(x)), lambda x: jax.lax.rsqrt(jnp.abs(x)), lambda x: x.reshape(2, 6),
    lambda x: jax.lax.bitcast_convert_type(x, jnp.uint32) >> 9,
    lambda x: jnp.power(jnp.abs(x), 1.5), lambda x: x % 0.7, lambda x: jax.lax.stop_gradient(x) + 1,
    lambda x: jax.lax.reduce_precision(x, 8, 23), jnp.mean,
]  # fmt: skip


@pytest.mark.parametrize("fn", UNARY, ids=range(len(UNARY)))
def test_one_op(fn: Callable[..., Any]) -> None:
    check(fn, gaussian(3, 4))


def test_integers() -> None:
    a = RNG.integers(-50, 50, (4, 5)).astype(np.int32)
    b = RNG.integers(1, 9, (4, 5)).astype(np.int32)
    check(lambda a, b: (a + b, a * b, a - b, a // b, a % b, a & b, a | b, a ^ b, ~a), a, b)
    check(lambda a, b: (a << b, a >> b, a.sum(), a.max(0), jnp.minimum(a, b), a == b), a, b)
    check(lambda a, b: (jax.lax.population_count(a), a @ b.T), a, b)


def test_dot_general_forms() -> None:
    a, b = gaussian(2, 3, 4), gaussian(2, 4, 5)
    module = check(lambda a, b: jnp.einsum("bij,bjk->bik", a, b), a, b)
    assert ops(module, "dot_general")[0].attrs["lhs_batch"] == (0,)
    check(lambda a, b: jnp.einsum("bij,bjk->ik", a, b), a, b, atol=1e-5)
    check(lambda a, b: jnp.einsum("bij,cjk->bcik", a, b), a, b, atol=1e-5)
    check(lambda a: a @ a, gaussian(7))


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (None, "DEFAULT"),
        ("default", "DEFAULT"),
        ("high", "HIGH"),
        ("highest", "HIGHEST"),
        (("default", "highest"), "HIGHEST"),
        ("F32_F32_F32", "HIGHEST"),
    ],
)
def test_precision(asked: Any, kept: str) -> None:
    """HIGH multiplies mantissas of 16 bits, the others of 28."""
    error = 3e-4 if kept == "HIGH" else 1e-6
    module = check(lambda a: jnp.dot(a, a, precision=asked), gaussian(3, 3), atol=error)
    assert ops(module, "dot_general")[0].attrs["precision"] == kept


def test_unknown_algorithm_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="tf32_tf32_f32"):
        ingest(text(lambda a: jnp.dot(a, a, precision="TF32_TF32_F32"), gaussian(3, 3)))


@pytest.mark.parametrize("algorithm", ["BF16_BF16_F32", "F16_F16_F32"])
def test_an_algorithm_may_round_the_operands(algorithm: str) -> None:
    a, dtype = gaussian(3, 3), algorithm[: algorithm.index("_")].lower()
    module = ingest(text(lambda a: jnp.dot(a, a, precision=algorithm), a))
    (got,) = evaluate(module, [a])
    small = a.astype({"bf16": jnp.bfloat16, "f16": np.float16}[dtype]).astype(np.float32)
    np.testing.assert_allclose(got, small @ small, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("%1 = stablehlo.add %0, %0 : tensor<2xf32>\n return %1", "stablehlo.add takes a constant"),
        ("return %0", "the program returns a constant"),
    ],
)
def test_constants_that_cannot_be_read_are_refused_where_they_are_used(
    body: str, sentence: str
) -> None:
    program = f"""module {{ func.func @main() -> tensor<2xf32> {{
        %0 = stablehlo.constant dense_resource<blob> : tensor<2xf32>
        {body} : tensor<2xf32> }} }}
        {{-# dialect_resources: {{ builtin: {{ blob: "0x040000000000803F00000040" }} }} #-}}"""
    with pytest.raises(UnsupportedError, match=f"{sentence} .*whose data cannot be read"):
        ingest(program)


def test_random_numbers_need_no_64_bits() -> None:
    def fn(key: Any) -> Any:
        first, second = jax.random.split(key)
        draws = jax.random.uniform(first, (3, 5)), jax.random.bernoulli(first, 0.3, (7,))
        more = jax.random.randint(second, (4,), 0, 10), jax.random.fold_in(second, 3)
        return draws, more, jax.random.normal(second, (6,)), second

    module = check(fn, jax.random.key(42))
    assert {value.dtype for op in walk(module.body) for value in op.results} <= {
        "f32", "i32", "ui32", "i1",
    }  # fmt: skip


def test_scan_and_fori_loop_are_counted() -> None:
    def fn(x: Any, key: Any) -> Any:
        def body(carry: Any, i: Any) -> Any:
            batch = jax.lax.dynamic_slice(x, (i * 2, 0), (2, 3))
            noise = jax.random.uniform(jax.random.fold_in(key, i), (2, 3))
            return carry + (batch * noise).sum(), batch[0]

        scanned = jax.lax.scan(body, 0.0, jnp.arange(4))
        looped = jax.lax.fori_loop(2, 7, lambda i, a: a + x[i], jnp.zeros(3))
        return scanned, looped, jax.random.uniform(key, (2, 3))

    module = check(fn, gaussian(8, 3), jax.random.key(1))
    assert [op.attrs["trip_count"] for op in ops(module, "while")] == [4, 5]


def test_open_ended_loop_has_no_trip_count() -> None:
    def fn(n: Any, x: Any) -> Any:
        return jax.lax.fori_loop(0, n, lambda i, a: a * 1.5, x)

    module = check(fn, np.int32(3), gaussian(4))
    assert ops(module, "while")[0].attrs["trip_count"] is None


COUNTED = """
func.func @main(%x: tensor<i32>) -> tensor<i32> {{
  %start = stablehlo.constant dense<{start}> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %a = %x) : tensor<i32>, tensor<i32>
    cond {{
      %c = stablehlo.constant dense<{limit}> : tensor<i32>
      %p = stablehlo.compare {direction}, %i, %c : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %p : tensor<i1>
    }} do {{
      %c = stablehlo.constant dense<{step}> : tensor<i32>
      %n = stablehlo.add %c, %i : tensor<i32>
      %b = stablehlo.add %a, %i : tensor<i32>
      stablehlo.return %n, %b : tensor<i32>, tensor<i32>
    }}
  return %r#1 : tensor<i32>
}}
"""


@pytest.mark.parametrize(
    ("start", "limit", "step", "direction", "trips"),
    [
        (0, 5, 1, "LT", 5),
        (3, 10, 3, "LT", 3),
        (0, 9, 3, "LE", 4),
        (5, 5, 1, "LT", 0),
        (7, 5, 1, "LT", 0),
        (0, 5, 1, "NE", None),
        (0, 2**31 - 1, 2, "LE", None),
    ],
)
def test_trip_count(start: int, limit: int, step: int, direction: str, trips: int | None) -> None:
    values = {"start": start, "limit": limit, "step": step, "direction": direction}
    module = ingest(COUNTED.format(**values))
    assert ops(module, "while")[0].attrs["trip_count"] == trips
    if trips is not None:
        (total,) = evaluate(module, [np.int32(0)])
        assert total == sum(start + k * step for k in range(trips))


def init(sizes: tuple[int, ...]) -> Any:
    pairs = itertools.pairwise(sizes)
    params = [{"w": gaussian(m, n) / np.float32(m**0.5), "b": gaussian(n)} for m, n in pairs]
    zeros = jax.tree.map(np.zeros_like, params)
    return {"params": params, "m": zeros, "v": zeros, "step": np.int32(0)}


def loss_fn(params: Any, x: Any, y: Any) -> Any:
    *hidden, last = params
    for layer in hidden:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
    logits = jax.nn.log_softmax(x @ last["w"] + last["b"])
    return -(jax.nn.one_hot(y, logits.shape[-1]) * logits).sum(-1).mean()


def train_step(state: Any, x: Any, y: Any) -> Any:
    """Adam with `power` for the bias corrections, as Keras writes it."""
    loss, grads = jax.value_and_grad(loss_fn)(state["params"], x, y)
    step = state["step"] + 1
    t = step.astype(jnp.float32)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["m"], grads)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state["v"], grads)
    rate = 1e-3 * jnp.sqrt(1 - jnp.power(0.999, t)) / (1 - jnp.power(0.9, t))
    params = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), state["params"], m, v
    )
    return {"params": params, "m": m, "v": v, "step": step}, loss


def batch(n: int) -> tuple[Any, Any]:
    return gaussian(n, 8), RNG.integers(0, 5, n).astype(np.int32)


def test_mlp_train_step_with_adam() -> None:
    module = check(train_step, init((8, 16, 16, 5)), *batch(6), rtol=1e-3, atol=1e-4)
    assert len(ops(module, "dot_general")) == 8


def test_several_steps_per_launch() -> None:
    xs, ys = batch(24)

    def epoch(state: Any, xs: Any, ys: Any) -> Any:
        def body(state: Any, i: Any) -> Any:
            x = jax.lax.dynamic_slice_in_dim(xs, i * 6, 6)
            return train_step(state, x, jax.lax.dynamic_slice_in_dim(ys, i * 6, 6))

        return jax.lax.scan(body, state, jnp.arange(4))

    module = check(epoch, init((8, 16, 5)), xs, ys, rtol=1e-2, atol=1e-3)
    assert ops(module, "while")[0].attrs["trip_count"] == 4


def test_names_lines_and_donation() -> None:
    state = init((8, 5))
    module = ingest(text(train_step, state, *batch(6), donate=(0,)))
    assert module.name == "train_step"
    assert module.param_names[0] == "state['m'][0]['b']"
    assert module.result_names[0] == "result[0]['m'][0]['b']"
    assert len(module.donated) == 7
    for result, param in module.donated.items():
        assert module.body.returns[result].type == module.body.params[param].type
    dots = {op.loc for op in ops(module, "dot_general")}
    assert any(loc.startswith("test_ingest.py:") and loc.endswith("(loss_fn)") for loc in dots)


def test_library_functions_carry_the_line_of_each_call() -> None:
    def fn(x: Any) -> Any:
        first = jax.nn.relu(x)
        return first, jax.nn.relu(x + 1.0)

    line = fn.__code__.co_firstlineno
    found = [op.loc for op in ops(ingest(text(fn, gaussian(3))), "maximum")]
    names = f"({test_library_functions_carry_the_line_of_each_call.__name__}.fn)"
    assert found == [f"test_ingest.py:{line + k} {names}" for k in (1, 2)]


def test_artifact_text_and_bytecode_agree() -> None:
    from jaxlib.mlir.dialects import stablehlo

    ir_module = lower(train_step, init((8, 5)), *batch(3)).compiler_ir("stablehlo")
    bytecode = io.BytesIO()
    ir_module.operation.write_bytecode(bytecode)
    bare = lower(lambda x: jnp.tanh(x) @ x.T, gaussian(3, 3)).as_text()
    artifact = stablehlo.serialize_portable_artifact_str(bare, stablehlo.get_minimum_version())
    kinds = [op.kind for op in walk(ingest(bare).body)]
    assert kinds == [op.kind for op in walk(ingest(artifact).body)]
    assert all(op.loc == "" for op in walk(ingest(bare).body))
    assert ingest(bytecode.getvalue()).name == "train_step"


def test_sharding_marks_of_one_device_are_dropped() -> None:
    mesh = jax.sharding.Mesh(jax.devices()[:1], ("x",))
    spec = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("x"))
    check(lambda x: jax.lax.with_sharding_constraint(x * 2, spec) + 1, gaussian(4, 4))
    barred = """func.func @main(%a: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<2xf32> {
      %0:2 = stablehlo.optimization_barrier %a, %b : tensor<2xf32>, tensor<2xf32>
      return %0#1 : tensor<2xf32>
    }"""
    module = ingest(barred)
    assert module.body.returns[0] is module.body.params[1]


WIDE = """func.func @main(%a: tensor<4xui32>) -> tensor<4xui32> {{
  %i = stablehlo.iota dim = 0 : tensor<4xui64>
  %c = stablehlo.constant dense<{factor}> : tensor<4xui64>
  %w = stablehlo.multiply %i, %c : tensor<4xui64>
  %s = stablehlo.constant dense<{shift}> : tensor<4xui64>
  %h = stablehlo.shift_right_logical %w, %s : tensor<4xui64>
  %n = stablehlo.convert %h : (tensor<4xui64>) -> tensor<4xui32>
  %r = stablehlo.add %n, %a : tensor<4xui32>
  return %r : tensor<4xui32>
}}"""


@pytest.mark.parametrize(("factor", "shift"), [(1, 32), (1431655765, 32), (77, 3), (5, 0), (0, 63)])
def test_64_bits_that_fit_32(factor: int, shift: int) -> None:
    (got,) = evaluate(ingest(WIDE.format(factor=factor, shift=shift)), [np.zeros(4, np.uint32)])
    assert got.tolist() == [(i * factor) >> shift for i in range(4)]


@pytest.mark.parametrize(("factor", "fits"), [(1431655765, True), (1431655766, False)])
def test_64_bits_stay_where_32_may_not_do(factor: int, fits: bool) -> None:
    module = ingest(WIDE.format(factor=factor, shift=32))
    verify(module)
    wide = [value for op in walk(module.body) for value in op.results if value.dtype == "ui64"]
    assert bool(wide) != fits
    (got,) = evaluate(module, [np.full(4, 5, np.uint32)])
    assert got.tolist() == [(i * factor >> 32) + 5 for i in range(4)]


def test_first_fitting_result_takes_a_buffer_donor() -> None:
    module = ingest(
        """func.func @main(%a: tensor<2xf32>, %b: tensor<3xf32> {jax.buffer_donor = true})
          -> (tensor<2xf32>, tensor<3xf32>) {
          return %a, %b : tensor<2xf32>, tensor<3xf32>
        }"""
    )
    assert module.donated == {1: 1}


def test_recursion_is_refused() -> None:
    program = """func.func @main(%a: tensor<f32>) -> tensor<f32> {
      %0 = func.call @main(%a) : (tensor<f32>) -> tensor<f32>
      return %0 : tensor<f32>
    }"""
    with pytest.raises(UserError, match="calls itself"):
        ingest(program)


def test_jax_still_has_the_donation_list() -> None:
    """Where JAX renames it, donation would silently stop: this test says so."""
    enable_donation()
    assert "spinnaker" in jax_mlir._platforms_with_donation


def test_error_functions_are_ours_in_functions_and_loops_too() -> None:
    def fn(x: Any) -> Any:
        inner = jax.jit(lambda a: jax.lax.erf(a) + jax.lax.erf(a))
        return jax.lax.fori_loop(0, 2, lambda i, a: jax.lax.erfc(a), inner(x))

    module = check(fn, np.linspace(-3, 3, 13, dtype=np.float32))
    assert len(ops(module, "erf")) == len(ops(module, "erfc")) == 1
