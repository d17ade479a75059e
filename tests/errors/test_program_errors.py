"""Programs and calls that cannot be done: one sentence each, with what, where and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evaluating_machine import EvaluatorMachine

import spindle
from spindle.errors import LostArrayError, UnsupportedError, UserError

pytestmark = pytest.mark.usefixtures("evaluator_machine")

SQUARE = np.eye(3, dtype=np.float32)

UNSUPPORTED = [
    (lambda x: jax.lax.reduce((x, x), (0.0, 0.0), lambda a, b: b, (0,)),
     "stablehlo.reduce over 2 arrays", "argmax"),
    (lambda x: jnp.linalg.qr(x), "stablehlo.custom_call @Qr is not compiled", "host"),
    (lambda x: jnp.linalg.eigh(x), "JAX's eigh has no StableHLO form", "host"),
    (lambda x: jax.debug.print("{}", x), "JAX's debug_print has no StableHLO form", "host"),
    (lambda x: jax.pure_callback(abs, x, x), "a Python callback cannot be compiled", "host"),
    (lambda x: jnp.fft.fft(x), "complex", "float32 arrays"),
    (lambda x: x * 1j, r"makes tensor<3x3xcomplex<f32>>", "real and imaginary"),
    (lambda x: jax.lax.rng_uniform(x[0, 0], x[0, 1], (3,)), "stablehlo.rng is not", "jax.random"),
    (lambda x: jax.lax.complex(x, x).real, "stablehlo.complex is not compiled", "imaginary parts"),
    (lambda x: x.astype(jnp.float8_e5m2) * 2, r"convert makes tensor<3x3xf8E5M2>", "cast"),
    (lambda x: x.astype(jnp.int4) + 1, r"stablehlo.convert makes tensor<3x3xi4>", "cast"),
    (lambda x: jnp.dot(x, x, precision="TF32_TF32_F32"), "algorithm tf32_tf32_f32", "HIGHEST"),
]  # fmt: skip


TYPES = ("lhs_precision_type", "rhs_precision_type", "accumulation_type")
COUNTS = ("lhs_component_count", "rhs_component_count", "num_primitive_operations")


def dot_with(**changes: Any) -> None:
    """Multiply with JAX's algorithm of float32, changed."""
    given = dict.fromkeys(TYPES, np.float32) | dict.fromkeys(COUNTS, 1) | changes
    algorithm = jax.lax.DotAlgorithm(**given, allow_imprecise_accumulation=False)
    spindle.jit(lambda x: jnp.dot(x, x, precision=algorithm))(SQUARE)


def test_the_algorithm_of_float32_is_taken() -> None:
    dot_with()


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("lhs_precision_type", jnp.bfloat16),
        ("lhs_component_count", 2),
        ("rhs_component_count", 3),
        ("num_primitive_operations", 6),
    ],
)
def test_any_other_algorithm_is_refused(changed: str, value: Any) -> None:
    with pytest.raises(UnsupportedError, match="algorithm") as caught:
        dot_with(**{changed: value})
    assert "HIGHEST" in str(caught.value) and caught.value.where.startswith(
        "test_program_errors.py:"
    )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("fn", "what", "fix"), UNSUPPORTED, ids=[row[1] for row in UNSUPPORTED])
def test_unsupported_op_names_its_line(fn: Callable[..., Any], what: str, fix: str) -> None:
    with pytest.raises(UnsupportedError, match=what) as caught:
        spindle.jit(fn)(SQUARE)
    line = fn.__code__.co_firstlineno
    assert caught.value.where.startswith(f"test_program_errors.py:{line}")
    assert fix in str(caught.value)
    assert "\n" not in str(caught.value)


def test_line_is_that_of_the_innermost_user_function() -> None:
    def inner(x: Any) -> Any:
        return jnp.linalg.qr(x)[1]

    line = inner.__code__.co_firstlineno + 1
    with pytest.raises(UnsupportedError) as caught:
        spindle.jit(lambda x: inner(x) + 1)(SQUARE)
    assert caught.value.where.startswith(f"test_program_errors.py:{line} (")
    assert caught.value.where.endswith("inner)")


def test_float64_inside_a_program() -> None:
    with jax.enable_x64(True):
        text = jax.jit(lambda x: x.astype(jnp.float64) * 2).lower(SQUARE).as_text()
    with pytest.raises(UnsupportedError, match=r"makes tensor<3x3xf64>.*jax_enable_x64"):
        spindle.compile(text)


def test_float64_argument_with_x64_on() -> None:
    with (
        jax.enable_x64(True),
        pytest.raises(UnsupportedError, match=r"argument x is tensor<3xf64>.*jax_enable_x64"),
    ):
        spindle.jit(lambda x: x)(np.ones(3))


@pytest.mark.parametrize("dtype", [jnp.float8_e4m3fn, jnp.int4, np.complex64])
def test_argument_of_a_type_the_machine_lacks(dtype: Any) -> None:
    with pytest.raises(UnsupportedError, match="argument x is tensor"):
        spindle.jit(lambda x: x)(np.ones(3, dtype))


def test_dynamic_shape() -> None:
    text = """func.func @main(%a: tensor<?x4xf32>) -> tensor<?x4xf32> {
      return %a : tensor<?x4xf32>
    }"""
    with pytest.raises(UnsupportedError, match=r"tensor<\?x4xf32>.*dynamic shape.*every axis"):
        spindle.compile(text)


def test_program_for_several_devices() -> None:
    text = """module attributes {mhlo.num_partitions = 4 : i32} {
      func.func @main(%a: tensor<f32>) -> tensor<f32> { return %a : tensor<f32> }
    }"""
    with pytest.raises(UnsupportedError, match="for 4 devices"):
        spindle.compile(text)


@pytest.mark.parametrize("program", ["def f(x): return x", b"\xff\x00", "module {"])
def test_what_is_no_stablehlo(program: str | bytes) -> None:
    with pytest.raises(UserError, match="not StableHLO that jaxlib can read"):
        spindle.compile(program)


def test_program_without_main() -> None:
    text = "func.func @f(%a: tensor<f32>) -> tensor<f32> { return %a : tensor<f32> }"
    with pytest.raises(UserError, match="no function 'main'"):
        spindle.compile(text)


def compiled() -> spindle.Compiled:
    return spindle.compile(jax.jit(lambda a, b: a + b).lower(SQUARE, SQUARE).as_text())


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ([SQUARE], "takes 2 arrays, 1 were given"),
        ([SQUARE, np.ones(3)], r"argument 1 is float32\[3\]; the program takes float32\[3, 3\]"),
        ([np.eye(3, dtype=int), SQUARE], r"argument 0 is int32\[3, 3\]; .* float32\[3, 3\]"),
    ],
)
def test_wrong_arguments_of_a_compiled_program(arrays: list[Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        compiled()(*arrays)


def step(state: dict[str, Any], x: Any) -> dict[str, Any]:
    return {"w": state["w"] + x}


def test_donated_array_used_again() -> None:
    jitted = spindle.jit(step, donate_argnums=0)
    state = spindle.device_put({"w": SQUARE})
    jitted(state, SQUARE)
    sentence = re.escape("this array was donated to step as argument state['w']")
    with pytest.raises(LostArrayError, match=f"^{sentence}"):
        np.asarray(state["w"])
    with pytest.raises(LostArrayError, match=f"^argument x of step: {sentence}"):
        jitted({"w": SQUARE}, state["w"])
    assert repr(state["w"]) == "Array(f32[3,3], deleted)" and state["w"].is_deleted()


def test_deleted_array_used_again() -> None:
    array = spindle.device_put(SQUARE)
    array.delete()
    with pytest.raises(LostArrayError, match="was deleted"):
        np.asarray(array)


def test_array_lost_with_its_machine(evaluator_machine: EvaluatorMachine) -> None:
    array = spindle.device_put(SQUARE)
    evaluator_machine.close()
    with pytest.raises(LostArrayError, match="this array is lost"):
        np.asarray(array)


def test_one_array_donated_and_read() -> None:
    array = spindle.device_put(SQUARE)
    with pytest.raises(UserError, match=r"state\['w'\] is donated, but argument x is the same"):
        spindle.jit(step, donate_argnums=0)({"w": array}, array)
    assert np.asarray(array).shape == (3, 3)


def test_ctrl_c_in_a_run(evaluator_machine: EvaluatorMachine) -> None:
    jitted = spindle.jit(step, donate_argnums=0)
    state, x = spindle.device_put(({"w": SQUARE}, SQUARE))
    jitted({"w": SQUARE}, x)
    held = len(evaluator_machine.memory)
    evaluator_machine.interrupt = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        jitted(state, x)
    assert evaluator_machine.aborts == 1
    assert len(evaluator_machine.memory) == held - 1
    with pytest.raises(LostArrayError, match=r"lost: interrupted; .* donated to step"):
        np.asarray(state["w"])
    assert np.array_equal(x, SQUARE)
    assert np.array_equal(jitted({"w": SQUARE}, x)["w"], 2 * SQUARE)


def test_failed_run_loses_only_donated_arrays(evaluator_machine: EvaluatorMachine) -> None:
    jitted = spindle.jit(step, donate_argnums=0)
    state, x = spindle.device_put(({"w": SQUARE}, SQUARE))
    evaluator_machine.interrupt = spindle.FaultError("core (0, 0, 3) stopped")
    with pytest.raises(spindle.FaultError):
        jitted(state, x)
    with pytest.raises(LostArrayError, match="lost: the launch failed"):
        np.asarray(state["w"])
    assert np.array_equal(x, SQUARE)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: spindle.options(matmul="bf16"), "'bf16' is not a mode of multiplying"),
        (lambda: spindle.options(max_tile=2), "too small; the limit is 8"),
        (lambda: spindle.jit(step, options={"matmul": "bfp28"}), "is a dict; pass spindle.options"),
        (lambda: spindle.jit("step"), "jit needs a function, not a str"),
        (lambda: spindle.open_machine("gpu"), "machine 'gpu' is not known; use 'native'"),
        (lambda: spindle.device_put(np.ones(3, np.complex64)), r"device_put of complex64\[3\]"),
        (lambda: spindle.device_put("x"), "is a str, not an array"),
        (lambda: spindle.jit(step)({"w": "x"}, 1), r"argument state\['w'\] of step is a str"),
        (lambda: spindle.jit(lambda x, n: x, static_argnums=1)(1, [2]), "cannot be a key"),
    ],
)
def test_bad_options_and_arguments(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        call()


def test_the_users_own_error_passes_through() -> None:
    def fn(x: Any) -> Any:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        spindle.jit(fn)(1.0)
