"""TRANSPOSE moves every word to its place."""

from __future__ import annotations

import numpy as np
import pytest
from task_tools import STORE, hostile, operand, task

from spindle.kernels_host.harness import run_task


@pytest.mark.parametrize("tile", [(1, 1), (7, 5), (16, 64), (64, 16)])
@pytest.mark.parametrize("shape", [(1, 1), (13, 65), (64, 1), (1, 64)])
def test_transpose(shape, tile):
    rows, columns = shape
    x = hostile(rows * columns)
    operands = [operand((0, 1, rows, 0), 1), operand((0, columns, 1, 0), 2, STORE)]
    y = np.zeros_like(x)
    run_task(task("TRANSPOSE", (1, *shape, 1), (1, *tile, 1)), operands, [], [x, y])
    np.testing.assert_array_equal(y.reshape(shape), x.reshape(columns, rows).T)
