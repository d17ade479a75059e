"""The task loop: hand-written Plans on native give NumPy's words, on any cores and tiles."""

from __future__ import annotations

import numpy as np
import pytest
from hand_dots import quantised_dot
from hand_plans import (
    add_bias,
    add_in_place,
    chain,
    copy_window,
    count_down,
    dot_float32,
    dynamic_rows,
    running_rows,
    single_store,
)

from spindle.codegen.emit import emit
from spindle.ir.evaluate_dot import dot_rows
from spindle.ir.graph import DotNumerics
from spindle.ir.plan import Plan
from spindle.machines.machine import Run
from spindle.machines.native import NativeMachine

BOARDS = [(1, 0), (7, 1), (15, 0), (16, 1), (17, 0), (17, 1)]
board = pytest.mark.parametrize("board", BOARDS, ids=str)


def run(plan: Plan, board: tuple[int, int], *args: np.ndarray) -> tuple[list[np.ndarray], Run]:
    """Results and Run record of one launch; arrays of words."""
    machine = NativeMachine(n_cores=board[0], dma_mode=board[1])
    image = emit(plan)
    program = machine.load(image)
    inputs = [machine.alloc(0, arg.nbytes) for arg in args]
    for buffer, arg in zip(inputs, args, strict=True):
        machine.write(buffer, np.ascontiguousarray(arg).tobytes())
    outputs = [
        inputs[plan.donated[j]] if j in plan.donated else machine.alloc(0, t.size_bytes)
        for j, t in enumerate(plan.results)
    ]
    record = machine.run(program, inputs, outputs).wait(60)
    dtypes = [np.float32 if t.dtype == "f32" else np.int32 for t in plan.results]
    results = [
        np.frombuffer(machine.read(buffer), dtype).reshape(t.shape)
        for buffer, dtype, t in zip(outputs, dtypes, plan.results, strict=True)
    ]
    machine.close()
    return results, record


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def words(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(-99, 99, shape, np.int32)


@board
@pytest.mark.parametrize("tile", [(1, 8), (7, 33), (64, 24), (20, 70)], ids=str)
@pytest.mark.parametrize("double", [True, False])
def test_add_bias(board: tuple[int, int], tile: tuple[int, int], double: bool) -> None:
    x, bias = normal(61, 70), normal(70)
    (y,), record = run(add_bias(61, 70, tile, double), board, x, bias)
    np.testing.assert_array_equal(y, x + bias)
    assert record.barriers == 1
    assert record.packets_sent == 5 * (16 if board[0] > 16 else board[0] - 1)


@board
@pytest.mark.parametrize("alternate", [True, False])
def test_independent_tasks_run_ahead(board: tuple[int, int], alternate: bool) -> None:
    x = words(9, 100)
    results, record = run(chain(7, 9, 100, (2, 24), alternate), board, x)
    for i, y in enumerate(results):
        np.testing.assert_array_equal(y, x + i)
    assert record.barriers == 1


@board
def test_one_buffer_is_stored_before_it_is_written(board: tuple[int, int]) -> None:
    x = normal(61, 70)
    (y, i), _ = run(single_store(61, 70, (3, 16)), board, x)
    np.testing.assert_array_equal(y, x + x)
    np.testing.assert_array_equal(i, np.broadcast_to(np.arange(70), (61, 70)))


@board
@pytest.mark.parametrize("tile", [(5, 16), (33, 50), (1, 200)], ids=str)
@pytest.mark.parametrize("double", [True, False])
def test_copy_of_a_window(board: tuple[int, int], tile: tuple[int, int], double: bool) -> None:
    plan = copy_window(40, 90, 123, 4, 11, tile, double)
    x = normal(47, 123)
    (y,), _ = run(plan, board, x)
    np.testing.assert_array_equal(y, x[4:44, 11:101])


@board
@pytest.mark.parametrize("tile", [(3, 32), (25, 64)], ids=str)
def test_donated_in_place(board: tuple[int, int], tile: tuple[int, int]) -> None:
    x = normal(50, 64)
    (y,), _ = run(add_in_place(50, 64, tile), board, x)
    np.testing.assert_array_equal(y, x + x)


@board
def test_loops_and_registers(board: tuple[int, int]) -> None:
    x, y = words(5, 70), words(5, 70)[::-1]
    (z,), record = run(running_rows(5, 4, 70), board, x, y)
    np.testing.assert_array_equal(z, x + 4 * y)
    assert record.barriers == 20
    assert [step.runs for step in record.steps if step.label == "row"] == [20]


@board
def test_loop_of_no_trips(board: tuple[int, int]) -> None:
    x = words(2, 8)
    (z,), record = run(running_rows(2, 0, 8), board, x, x)
    np.testing.assert_array_equal(z, x)
    assert record.barriers == 0


@board
@pytest.mark.parametrize("start", [-7, 0, 5, 99])
def test_slice_at_a_register(board: tuple[int, int], start: int) -> None:
    x = normal(12, 40)
    (y,), _ = run(dynamic_rows(4, 40, 12), board, x, np.array(start, np.int32))
    at = min(max(start, 0), 8)
    np.testing.assert_array_equal(y, x[at : at + 4])


@board
@pytest.mark.parametrize("trips", [0, 1, 6])
def test_while(board: tuple[int, int], trips: int) -> None:
    x = words(50)
    (i, y), record = run(count_down(50), board, np.array([trips], np.int32), x)
    assert i[0] == 0
    np.testing.assert_array_equal(y, x + 3 * trips)
    assert record.barriers == 1 + 2 * trips


@board
@pytest.mark.parametrize("tile", [(8, 8, 8), (20, 16, 30), (6, 24, 77)], ids=str)
def test_dot_float32(board: tuple[int, int], tile: tuple[int, int, int]) -> None:
    a, b, bias = normal(37, 77), normal(77, 40), normal(40)
    (y,), record = run(dot_float32(37, 40, 77, tile), board, a, b, bias)
    wanted = dot_rows(a[None], b.T[None].copy(), DotNumerics("float32"))[0] + bias
    np.testing.assert_array_equal(y, wanted)
    assert record.macs == 37 * 40 * 77


@board
@pytest.mark.parametrize("tile", [(8, 8, 64), (20, 16, 128), (4, 40, 32)], ids=str)
def test_dot_of_quantised_panels(board: tuple[int, int], tile: tuple[int, int, int]) -> None:
    a, b = normal(37, 300), normal(300, 41) * np.float32(2.0) ** normal(300, 1)
    plan = quantised_dot(37, 41, 300, tile, k_block=128)
    (y,), record = run(plan, board, a, b)
    numerics = DotNumerics("bfp28", k_block=128)
    np.testing.assert_array_equal(y, dot_rows(a[None], b.T[None].copy(), numerics)[0])
    assert record.nonfinite == 0


@board
@pytest.mark.parametrize("tile", [(8, 8, 64), (20, 16, 128)], ids=str)
def test_dot_of_nonfinite_operands(board: tuple[int, int], tile: tuple[int, int, int]) -> None:
    a, b = normal(37, 300), normal(300, 41)
    a[3, 7], a[5, 299], b[130, 20], b[7, 30] = np.inf, np.nan, -np.inf, 0
    plan = quantised_dot(37, 41, 300, tile, k_block=128)
    (y,), record = run(plan, board, a, b)
    numerics = DotNumerics("bfp28", k_block=128)
    wanted = dot_rows(a[None], b.T[None].copy(), numerics)[0]
    np.testing.assert_array_equal(y.view(np.int32), wanted.view(np.int32))
    assert record.nonfinite == np.count_nonzero(~np.isfinite(y))
    assert record.nonfinite == sum(step.nonfinite for step in record.steps)
