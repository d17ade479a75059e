"""Primitives that place words: SPLAT, BCAST, IOTA, the prologue, operands that repeat."""

from __future__ import annotations

import numpy as np
import pytest
from task_tools import STORE, hostile, instr, operand, run_strip, task

from spindle.kernels_host.harness import run_task

ROWS, COLUMNS = 6, 150


def test_prologue_runs_once_and_stays():
    x = hostile(ROWS * COLUMNS)
    program = [instr("SPLAT", 16, imm=7), instr("ADD_I32", 1, 0, 16)]
    (got,) = run_strip(program, [x], 1, (ROWS, COLUMNS), n_prologue=1)
    np.testing.assert_array_equal(got, x + np.uint32(7))


@pytest.mark.parametrize("tile", [(6, 150), (4, 64), (1, 65)])
def test_broadcast_along_either_dim(tile):
    row, column, scalar = hostile(COLUMNS, 1), hostile(ROWS, 2), hostile(1, 3)
    operands = [
        operand((0, 0, 1, 0), 2),
        operand((0, 1, 0, 0), 1),
        operand((0, 0, 0, 0), None),
        operand((0, COLUMNS, 1, 0), 2, STORE),
    ]
    program = [
        instr("BCAST", 16, 2),
        instr("BCAST", 17, 1),
        instr("XOR_I32", 18, 0, 17),
        instr("ADD_I32", 3, 18, 16),
    ]
    out = np.zeros(ROWS * COLUMNS, np.uint32)
    record = task("STRIP", (1, ROWS, COLUMNS, 1), (1, *tile, 1), n_temps=3, n_prologue=1)
    run_task(record, operands, program, [row, column, scalar, out])
    np.testing.assert_array_equal(out.reshape(ROWS, COLUMNS), (row ^ column[:, None]) + scalar)


def test_operands_that_skip_words_in_memory():
    """Every third column and every second row of a larger array: one word per row in DTCM."""
    x = hostile(2 * ROWS * 3 * COLUMNS)
    operands = [
        operand((0, 2 * 3 * COLUMNS, 3, 0), None),
        operand((0, COLUMNS, 1, 0), 2, STORE),
    ]
    out = np.zeros(ROWS * COLUMNS, np.uint32)
    record = task("STRIP", (1, ROWS, COLUMNS, 1), (1, 4, 70, 1))
    run_task(record, operands, [instr("NOT_I32", 1, 0)], [x, out])
    want = ~x.reshape(2 * ROWS, 3 * COLUMNS)[::2, ::3]
    np.testing.assert_array_equal(out.reshape(ROWS, COLUMNS), want)


@pytest.mark.parametrize("tile", [(6, 150), (4, 64), (5, 11)])
@pytest.mark.parametrize(("divisor", "modulus"), [(1, 1 << 31), (1, 7), (3, 5), (70, 2), (400, 3)])
@pytest.mark.parametrize("dim", [0, 1, 2])
def test_iota(dim, divisor, modulus, tile):
    program = [instr("IOTA", 0, dim, imm=divisor), instr("EXT", imm=modulus)]
    (got,) = run_strip(program, [], 1, (ROWS, COLUMNS), tile)
    index = (np.zeros((ROWS, 1)), np.arange(ROWS)[:, None], np.arange(COLUMNS))[dim]
    want = np.broadcast_to(index.astype(np.uint32) // divisor % modulus, (ROWS, COLUMNS))
    np.testing.assert_array_equal(got.reshape(ROWS, COLUMNS), want)
