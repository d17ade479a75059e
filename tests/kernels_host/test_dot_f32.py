"""DOT_F32 and its epilogue == the evaluator's ordered float32 dot."""

from __future__ import annotations

import numpy as np
import pytest
from dot_tools import matrix_operand, stored
from task_tools import INTERNAL, STORE, hostile, instr, operand, task

from spindle.ir import evaluate_dot
from spindle.kernels_host.harness import run_task


def dot(a, b, tile, across) -> np.ndarray:
    (m, k), n = a.shape, b.shape[0]
    operands = [
        matrix_operand(a, 1, across[0]),
        matrix_operand(b, 2, across[1]),
        operand((0, n, 1, 0), 2, INTERNAL),
        operand((0, n, 1, 0), 2, STORE),
    ]
    out = np.zeros(m * n, np.uint32)
    record = task("DOT_F32", (1, m, n, k), (1, *tile), inner=3)
    arrays = [stored(a, across[0]), stored(b, across[1]), None, out]
    run_task(record, operands, [instr("COPY", 3, 2)], arrays)
    return out.reshape(m, n)


@pytest.mark.parametrize("across", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("tile", [(2, 2, 8), (4, 70, 16), (8, 64, 33)])
def test_dot_f32(across, tile):
    for make in (
        lambda n, seed: hostile(n, seed).view(np.float32),
        lambda n, seed: np.random.default_rng(seed).standard_normal(n).astype(np.float32),
    ):
        a, b = make(7 * 33, 1).reshape(7, 33), make(67 * 33, 2).reshape(67, 33)
        with np.errstate(all="ignore"):
            want = evaluate_dot.dot_float32(a[None], b[None])[0].view(np.uint32)
        np.testing.assert_array_equal(dot(a, b, tile, across), want)
