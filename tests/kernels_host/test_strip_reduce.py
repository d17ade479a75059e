"""Reductions in strip programs == the evaluator's fixed order, wherever inner tiles are cut."""

from __future__ import annotations

import numpy as np
import pytest
from task_tools import STORE, hostile, instr, of_type, operand, task, words

from spindle.ir.evaluate_reduce import reduce
from spindle.ir.graph import Op, TensorType, Value
from spindle.kernels_host.harness import run_task

REDUCERS = {
    "RED_ADD_F32": ("add", "f32"),
    "RED_MUL_F32": ("multiply", "f32"),
    "RED_MAX_F32": ("maximum", "f32"),
    "RED_MIN_F32": ("minimum", "f32"),
    "RED_ADD_I32": ("add", "i32"),
    "RED_MUL_I32": ("multiply", "i32"),
    "RED_MAX_S32": ("maximum", "i32"),
    "RED_MIN_S32": ("minimum", "i32"),
    "RED_MAX_U32": ("maximum", "ui32"),
    "RED_MIN_U32": ("minimum", "ui32"),
    "RED_AND_I32": ("and", "i32"),
    "RED_OR_I32": ("or", "i32"),
}
INIT = 0x3F9D70A4
"""1.23 as a float; an ordinary integer."""


def want(name: str, x: np.ndarray, axis: int) -> np.ndarray:
    kind, dtype = REDUCERS[name]
    dims = {1: (0,), 2: (1,), 3: (0, 1)}[axis]
    op = Op("reduce", (), (Value(TensorType((), dtype)),), {"dims": dims, "reducer": kind})
    with np.errstate(all="ignore"):
        return words(reduce(op, of_type(x, dtype), of_type(np.array(INIT, np.uint32), dtype)))


def got(name: str, x: np.ndarray, axis: int, tile: tuple[int, int]) -> np.ndarray:
    """Reduce x [rows, columns]; the program also adds 0 to what it reads, to use a temporary."""
    rows, columns = x.shape
    n = {1: rows, 2: columns, 3: rows * columns}[axis]
    levels = (-(-n // 256)).bit_length() if name in ("RED_ADD_F32", "RED_MUL_F32") else 0
    program = [
        instr("COPY", 16, 0),
        instr(name, 1, 16, axis, imm=INIT),
        instr("EXT", levels, imm=64),
    ]
    stride, fast = {1: ((0, 0, 1, 0), 2), 2: ((0, 1, 0, 0), 1), 3: ((0, 0, 0, 0), None)}[axis]
    operands = [operand((0, columns, 1, 0), 2), operand(stride, fast, STORE)]
    out = np.zeros({1: columns, 2: rows, 3: 1}[axis], np.uint32)
    inner = {1: 1, 2: 2, 3: 1}[axis]
    record = task("STRIP", (1, rows, columns, 1), (1, *tile, 1), n_temps=1, inner=inner)
    run_task(record, operands, program, [words(x), out])
    return out


def floats(shape: tuple[int, int], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.exp(rng.standard_normal(shape) * 0.2).astype(np.float32).view(np.uint32)


@pytest.mark.parametrize("name", REDUCERS)
@pytest.mark.parametrize("axis", [1, 2, 3])
def test_every_reducer(name, axis):
    shape = {1: (300, 70), 2: (5, 700), 3: (20, 67)}[axis]
    for x in (hostile(shape[0] * shape[1]).reshape(shape), floats(shape, 1)):
        tile = {1: (33, 65), 2: (2, 130), 3: (7, 67)}[axis]
        np.testing.assert_array_equal(got(name, x, axis, tile), want(name, x, axis))


@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 511, 512, 513, 768, 1025, 2049, 1791])
@pytest.mark.parametrize("axis", [1, 2, 3])
def test_lengths_at_block_limits(n, axis):
    shape = {1: (n, 3), 2: (3, n), 3: (1, n)}[axis]
    x = floats(shape, n)
    np.testing.assert_array_equal(got("RED_ADD_F32", x, axis, shape), want("RED_ADD_F32", x, axis))


@pytest.mark.parametrize("cut", [1, 63, 64, 65, 100, 255, 256, 257, 300, 512, 640])
@pytest.mark.parametrize("axis", [1, 2])
def test_inner_tiles_cut_anywhere(cut, axis):
    shape, tile = ((641, 4), (cut, 3)) if axis == 1 else ((4, 641), (3, cut))
    x = floats(shape, 7)
    np.testing.assert_array_equal(got("RED_ADD_F32", x, axis, tile), want("RED_ADD_F32", x, axis))


@pytest.mark.parametrize("rows", [1, 2, 5, 9])
def test_all_of_a_matrix_in_row_tiles(rows):
    x = floats((9, 130), 8)
    tile = (rows, 130)
    np.testing.assert_array_equal(got("RED_ADD_F32", x, 3, tile), want("RED_ADD_F32", x, 3))
