"""Tiles run as one row, as rows of their own, or with a row repeated: NumPy's bits each time."""

from __future__ import annotations

import numpy as np
import pytest
from task_tools import STORE, hostile, instr, operand, task, words
from test_strip_reduce import INIT, REDUCERS, want

from spindle.kernels_host.harness import run_task

SHAPES = [(1, 5), (2, 1), (3, 16), (7, 22), (5, 31), (4, 32), (9, 33), (2, 64), (3, 65), (6, 100)]


def run(program, operands, arrays, shape, tile, **fields) -> np.ndarray:
    """The last array after the program has run over [rows, columns]."""
    record = task("STRIP", (1, *shape, 1), (1, *tile, 1), n_temps=2, **fields)
    run_task(record, operands, program, arrays)
    return arrays[-1]


@pytest.mark.parametrize("rows_of_tile", [2, 64])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_for_all_and_dense_operands(shape, rows_of_tile):
    rows, columns = shape
    a, row = hostile(rows * columns, columns), hostile(columns, rows)
    other = hostile(columns, rows + 100)
    whole, once = operand((0, columns, 1, 0), 2), operand((0, 0, 1, 0), 2)
    out = operand((0, columns, 1, 0), 2, STORE)
    tile = (rows_of_tile, columns)
    want = (a.reshape(shape) ^ row).reshape(-1)
    program = [instr("XOR_I32", 16, 0, 1), instr("COPY", 2, 16)]
    empty = np.zeros(rows * columns, np.uint32)
    got = run(program, [whole, once, out], [a, row, empty], shape, tile)
    np.testing.assert_array_equal(got, want)
    program = [instr("XOR_I32", 16, 0, 1), instr("XOR_I32", 3, 16, 2)]
    got = run(program, [whole, once, once, out], [a, row, other, empty], shape, tile)
    np.testing.assert_array_equal(got, (want.reshape(shape) ^ other).reshape(-1))
    program = [instr("SPLAT", 16, imm=0x55), instr("XOR_I32", 1, 0, 16)]
    got = run(program, [whole, out], [a, empty], shape, tile, n_prologue=1)
    np.testing.assert_array_equal(got, a ^ 0x55)


@pytest.mark.parametrize("shape", SHAPES)
def test_columns_of_a_wider_tensor(shape):
    """Tiles cut along the columns lie densely; the last one may be narrower."""
    a, row = hostile(shape[0] * shape[1], 1), hostile(shape[1], 2)
    operands = [operand((0, shape[1], 1, 0), 2), operand((0, 0, 1, 0), 2)]
    operands += [operand((0, shape[1], 1, 0), 2, STORE)]
    empty = np.zeros(a.size, np.uint32)
    got = run([instr("XOR_I32", 2, 0, 1)], operands, [a, row, empty], shape, (4, 12))
    np.testing.assert_array_equal(got, (a.reshape(shape) ^ row).reshape(-1))


@pytest.mark.parametrize("shape", SHAPES)
def test_places_keep_rows_apart(shape):
    rows, columns = shape
    per_row = hostile(rows, 3)
    operands = [operand((0, 1, 0, 0), 1), operand((0, columns, 1, 0), 2, STORE)]
    program = [
        instr("BCAST", 16, 0),
        instr("IOTA", 17, 2, imm=1),
        instr("EXT", imm=1 << 30),
        instr("XOR_I32", 1, 16, 17),
    ]
    empty = np.zeros(rows * columns, np.uint32)
    got = run(program, operands, [per_row, empty], shape, (8, columns))
    want = per_row[:, None] ^ np.arange(columns, dtype=np.uint32)
    np.testing.assert_array_equal(got, want.reshape(-1))


@pytest.mark.parametrize("axis", [1, 3])
@pytest.mark.parametrize("name", REDUCERS)
def test_a_reduction_of_all_rows_at_once(name, axis):
    for rows, columns in ((2, 3), (5, 70), (256, 2), (257, 1), (600, 9)):
        x = hostile(rows * columns, rows).reshape(rows, columns)
        n = rows if axis == 1 else rows * columns
        levels = (-(-n // 256)).bit_length() if name in ("RED_ADD_F32", "RED_MUL_F32") else 0
        program = [instr(name, 1, 0, axis, imm=INIT), instr("EXT", levels, imm=128)]
        stride, fast = ((0, 0, 1, 0), 2) if axis == 1 else ((0, 0, 0, 0), None)
        operands = [operand((0, columns, 1, 0), 2), operand(stride, fast, STORE)]
        out = np.zeros(columns if axis == 1 else 1, np.uint32)
        tile = (100, min(columns, 64) if axis == 1 else columns)
        run(program, operands, [words(x), out], (rows, columns), tile, inner=1)
        np.testing.assert_array_equal(out, want(name, x, axis))
