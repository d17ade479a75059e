"""expand_random: random bits made by integer ops are the evaluator's."""

from __future__ import annotations

import pytest
from pass_tools import assert_same_bits, program

from spindle.ir.graph import walk
from spindle.options import Options
from spindle.passes.expand_random import expand_random

DRAW = """param %0 : ui64[{n}]
    %1, %2 = rng_bit_generator %0 {{algorithm='{algorithm}'}} : ui64[{n}], {type}[{shape}]
    result %1
    result %2"""


@pytest.mark.parametrize(("algorithm", "n"), [("PHILOX", 2), ("PHILOX", 3), ("THREE_FRY", 2)])
@pytest.mark.parametrize("dtype", ["ui32", "i32", "ui64", "i64", "ui16", "i8"])
@pytest.mark.parametrize("shape", ["", "5", "3,4", "3,1"])
def test_draws_keep_bits(algorithm: str, n: int, dtype: str, shape: str) -> None:
    module = program(DRAW.format(n=n, algorithm=algorithm, type=dtype, shape=shape))
    after = expand_random(module, Options())
    assert all(op.kind != "rng_bit_generator" for op in walk(after.body))
    assert_same_bits(module, after, seeds=3)
