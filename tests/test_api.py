"""The public API above the Machine seam, on a machine that runs Modules with the evaluator."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evaluating_machine import EvaluatorMachine

import spindle
from spindle.array import from_words, to_words
from spindle.errors import UserError
from spindle.ir.graph import DTYPES, TensorType

pytestmark = pytest.mark.usefixtures("evaluator_machine")


class Pair(NamedTuple):
    a: Any
    b: Any


@jax.tree_util.register_dataclass
@dataclass
class State:
    w: Any
    extra: Any


def sgd(state: dict[str, Any], x: Any) -> tuple[dict[str, Any], Any]:
    loss, grad = jax.value_and_grad(lambda w: ((x @ w) ** 2).mean())(state["w"])
    return {"w": state["w"] - 0.1 * grad}, loss


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
def test_words_there_and_back(dtype: str, shape: tuple[int, ...]) -> None:
    tensor = TensorType(shape, dtype)
    host = np.arange(tensor.size).reshape(shape).astype(DTYPES[dtype])
    data = bytes(to_words(host, tensor))
    assert len(data) == tensor.size_bytes
    back = from_words(data, tensor)
    assert back.dtype == host.dtype and np.array_equal(back, host)


def test_pytrees_come_back_as_jax_gives_them() -> None:
    def fn(tree: Any, pair: Pair, state: State) -> Any:
        return {"x": tree["x"] * 2, "none": None}, Pair(pair.b, (pair.a,)), state

    given = {"x": np.ones((2, 3)), "none": None}, Pair(1, 2.5), State(np.arange(3), None)
    ours, theirs = spindle.jit(fn)(*given), jax.jit(fn)(*given)
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for got, expected in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert isinstance(got, spindle.Array)
        assert (got.dtype, got.weak_type) == (expected.dtype, expected.weak_type)
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    "value",
    [3, 2.5, True, np.float64(1.5), np.int64(2**33 + 5), np.arange(3), np.ones((2, 2)),
     np.uint32(7), np.array([True, False]), np.ones((0, 3)), np.arange(9)[::2]],
    ids=repr,
)  # fmt: skip
def test_types_are_those_of_jax(value: Any) -> None:
    def fn(x: Any) -> Any:
        return x, x + 1, x * 1.5

    for got, expected in zip(spindle.jit(fn)(value), jax.jit(fn)(value), strict=True):
        assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
        assert got.weak_type == expected.weak_type
        np.testing.assert_array_equal(got, expected)


def test_typed_keys_go_in_and_come_out() -> None:
    def fn(key: Any) -> Any:
        first, second = jax.random.split(key)
        return jax.random.uniform(first, (4,)), second

    step, key = spindle.jit(fn), jax.random.key(7)
    for _ in range(2):
        (draw, key), (expected, after) = step(key), fn(key)
        np.testing.assert_allclose(draw, expected, atol=1e-7)
        assert key.dtype == after.dtype
        assert jax.random.key_data(key).tolist() == jax.random.key_data(after).tolist()


def test_static_arguments_by_position_and_name() -> None:
    def fn(x: Any, times: int, flag: bool = False) -> Any:
        return x * times if flag else x + times

    step = spindle.jit(fn, static_argnums=(1, 2))
    assert float(step(2.0, 3)) == 5.0
    assert float(step(2.0, 3, True)) == 6.0
    assert float(step(2.0, 3, flag=True)) == 6.0
    assert float(step(2.0, times=4)) == 6.0


def test_keyword_arguments_and_varargs() -> None:
    def fn(*xs: Any, scale: Any) -> Any:
        return sum(xs) * scale

    assert float(spindle.jit(fn)(1.0, 2.0, scale=3.0)) == 9.0


def test_images_are_those_compiled_so_far() -> None:
    step = spindle.jit(sgd)
    assert step.images() == ()
    for n in (64, 64, 5):
        step({"w": np.ones((3, 2), np.float32)}, np.ones((n, 3), np.float32))
    assert [image.args[-1].shape for image in step.images()] == [(64, 3), (5, 3)]


def test_second_compilation_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    step = spindle.jit(sgd)
    state = {"w": np.ones((3, 2), np.float32)}
    for n in (64, 64, 5, 5, 64):
        step(state, np.ones((n, 3), np.float32))
    assert capsys.readouterr().err == "spindle: compiled sgd again for batch 5 (was 64)\n"


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ((np.ones(3), 1), (np.ones(3), 2), "n=2"),
        ((np.ones(3), 1), (np.ones(3, int), 1), "x int32[3] (was float32[3])"),
        ((np.ones((3, 2)), 1), (np.ones(3), 1), "x float32[3] (was float32[3,2])"),
        ((np.ones(3), 1), ((np.ones(3),), 1), "arguments of another structure"),
    ],
)
def test_reason_of_a_second_compilation(
    first: Any, second: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    step = spindle.jit(lambda x, n: x, static_argnums=1)
    step(*first), step(*second)
    assert capsys.readouterr().err == f"spindle: compiled <lambda> again for {words}\n"


def test_state_stays_on_the_machine(evaluator_machine: EvaluatorMachine) -> None:
    step = spindle.jit(sgd, donate_argnums=0)
    state = spindle.device_put({"w": np.ones((3, 2))})
    x = spindle.device_put(np.ones((4, 3)))
    assert evaluator_machine.moved == 4 * (6 + 12)
    buffer = state["w"].buffer
    for _ in range(3):
        state, loss = step(state, x)
    assert state["w"].buffer is buffer
    run = spindle.last_run()
    assert run is not None and run.program == "sgd" and run.host_bytes == 0
    assert float(loss) >= 0 and evaluator_machine.moved == 4 * (6 + 12 + 1)


def test_programs_share_arrays_without_transfer(evaluator_machine: EvaluatorMachine) -> None:
    init = spindle.jit(lambda key: {"w": jax.random.normal(key, (3, 2))})
    evaluate = spindle.jit(lambda state, x: (x @ state["w"]).sum())
    state, x = init(jax.random.key(0)), spindle.device_put(np.ones((4, 3)))
    before = evaluator_machine.moved
    state, _ = spindle.jit(sgd, donate_argnums=0)(state, x)
    evaluate(state, x)
    assert evaluator_machine.moved == before


def test_host_arguments_are_moved_and_freed(evaluator_machine: EvaluatorMachine) -> None:
    result = spindle.jit(lambda x, y: x + y)(np.ones(5), 1.0)
    assert spindle.last_run().host_bytes == 24  # type: ignore[union-attr]
    assert [buffer.size_bytes for buffer in evaluator_machine.memory] == [20]
    del result
    gc.collect()
    assert not evaluator_machine.memory


def test_donated_host_array_gives_its_buffer_to_the_result() -> None:
    state, _ = spindle.jit(sgd, donate_argnums=0)({"w": np.ones((3, 2))}, np.ones((4, 3)))
    assert np.asarray(state["w"]).shape == (3, 2)


def test_programs_are_unloaded_with_their_function(evaluator_machine: EvaluatorMachine) -> None:
    step = spindle.jit(lambda x: x + 1)
    step(1.0)
    assert len(evaluator_machine.programs) == 1
    del step
    gc.collect()
    assert not evaluator_machine.programs


def test_array_of_another_machine_is_moved(evaluator_machine: EvaluatorMachine) -> None:
    other = EvaluatorMachine()
    there = spindle.device_put(np.ones(3), machine=other)
    result = spindle.jit(lambda x: x * 2)(there)
    assert result.machine is evaluator_machine and np.asarray(result).tolist() == [2, 2, 2]
    assert float(spindle.jit(lambda x: x.sum(), machine=other)(there)) == 3.0


def test_array_behaves_like_a_small_numpy_array() -> None:
    array = spindle.device_put(np.arange(6, dtype=np.float32).reshape(2, 3))
    assert (array.shape, array.ndim, array.size, array.nbytes) == ((2, 3), 2, 6, 24)
    assert len(array) == 2 and array[1, 2] == 5 and array[1].tolist() == [3, 4, 5]
    assert [row.sum() for row in array] == [3, 12]
    assert np.asarray(array, np.int32).dtype == np.int32
    assert (array + 1).sum() == 21 and (array == 2).sum() == 1
    assert jnp.asarray(array).sum() == 15
    assert repr(spindle.device_put(np.float32(1.5))) == "Array(1.5, dtype=float32)"
    assert f"{spindle.device_put(2.0):.1f}" == "2.0" and int(spindle.device_put(3)) == 3
    assert [10, 20][spindle.device_put(1)] == 20 and bool(spindle.device_put(True))
    with pytest.raises(TypeError):
        len(spindle.device_put(1.0))


def test_in_place_operators_make_a_new_host_array() -> None:
    a = b = spindle.device_put(np.arange(3, dtype=np.float32))
    a += 1
    a *= b
    np.testing.assert_array_equal(a, [0, 2, 6])
    np.testing.assert_array_equal(b, [0, 1, 2])
    with pytest.raises(UserError, match="out= of add: NumPy cannot write into an array"):
        np.add(np.ones(3), np.ones(3), out=b)


def test_reading_twice_moves_once(evaluator_machine: EvaluatorMachine) -> None:
    array = spindle.jit(lambda x: x + 1)(np.ones(4))
    before = evaluator_machine.moved
    np.asarray(array), array[0], str(array)
    assert evaluator_machine.moved - before == 16


def test_a_read_array_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(spindle.device_put(np.ones(3)))[0] = 2


def test_jax_may_trace_through_a_jitted_function() -> None:
    square = spindle.jit(lambda v: (v**2).sum())
    assert spindle.jit(jax.grad(square))(np.ones(3)).tolist() == [2, 2, 2]


def test_two_functions_live_side_by_side() -> None:
    double, triple = spindle.jit(lambda x: x * 2), spindle.jit(lambda x: x * 3)
    assert [float(f(n)) for n in (1.0, 2.0) for f in (double, triple)] == [2, 3, 4, 6]


def test_compile_takes_flat_arrays(evaluator_machine: EvaluatorMachine) -> None:
    lowered = jax.jit(lambda a, b: (a @ b, a.sum() > 0), donate_argnums=0).lower(
        np.ones((2, 2)), np.ones((2, 2))
    )
    program = spindle.compile(lowered.as_text(), spindle.options(matmul="float32"))
    assert not evaluator_machine.programs
    product, positive = program(np.full((2, 2), 3.0), spindle.device_put(np.eye(2)))
    assert product.tolist() == [[3, 3], [3, 3]] and bool(positive)


def test_importing_spindle_does_not_import_jax() -> None:
    code = "import spindle, sys; sys.exit('jax' in sys.modules or 'jaxlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_names_exist() -> None:
    assert all(hasattr(spindle, name) for name in spindle.__all__)
    assert callable(spindle.compile) and isinstance(spindle.jit, Callable)  # type: ignore[arg-type]
