"""ADAM_F32 == its operations one by one, in place and out of place, hostile data too."""

from __future__ import annotations

import numpy as np
import pytest
from task_tools import expected, hostile, instr, run_strip

from spindle.spec.tables import ADAM_G_LAST

CONSTANTS = [0.9, 0.1, 0.999, 0.001, 0.0123, 1e-8]


def op(kind: str, *inputs: np.ndarray) -> np.ndarray:
    wide = [np.broadcast_to(np.asarray(x, np.float32), inputs[-1].shape) for x in inputs]
    return expected(kind, wide, "f32").view(np.float32)


def adam(p, m, v, g, g_last):
    b1, c1, b2, c2, alpha, eps = CONSTANTS
    m = op("add", op("multiply", b1, m), op("multiply", c1, g))
    square = (
        op("multiply", op("multiply", c2, g), g)
        if g_last
        else op("multiply", c2, op("multiply", g, g))
    )
    v = op("add", op("multiply", b2, v), square)
    step = op("divide", op("multiply", alpha, m), op("add", eps, op("sqrt", v)))
    return op("subtract", p, step), m, v


@pytest.mark.parametrize("g_last", [0, ADAM_G_LAST])
@pytest.mark.parametrize("in_place", [False, True])
def test_adam(g_last, in_place):
    n = 6 * 65
    p, m, v, g = (hostile(n, seed).view(np.float32) for seed in range(4))
    v[: n // 2] = np.abs(v[: n // 2])
    new = (0, 1, 2) if in_place else (4, 5, 6)
    patterns = [int(np.float32(c).view(np.uint32)) for c in CONSTANTS]
    prologue = [instr("SPLAT", 16 + i, imm=bits) for i, bits in enumerate(patterns)]
    b1, c1, b2, c2, alpha, eps = range(16, 22)
    update = [
        instr("ADAM_F32", *new, imm=g_last),
        instr("EXT", 0, 1, 2, imm=3 | b1 << 8 | c1 << 16 | b2 << 24),
        instr("EXT", c2, alpha, eps),
    ]
    copies = [instr("COPY", 4 + i, i) for i in range(3)] if in_place else []
    got = run_strip(
        [*prologue, *update, *copies], [p, m, v, g], 3, (6, 65), n_prologue=len(prologue)
    )
    for mine, want in zip(got, adam(p, m, v, g, g_last), strict=True):
        np.testing.assert_array_equal(mine, want.view(np.uint32))
