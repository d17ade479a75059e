"""spread_reduce: blocks for all lanes, then the tree of docs/numerics.md 4; short ones stay."""

from __future__ import annotations

import numpy as np
import pytest
from pass_tools import bits, hostile

from spindle.ir.evaluate import evaluate
from spindle.ir.text import from_text
from spindle.options import Options
from spindle.passes.spread_reduce import BLOCK, LEAST, spread_reduce

SUM = """param %x : f32[{n}]
%init = constant 2.0 : f32[]
%y = reduce %x, %init {{dims=(0,), reducer='{reducer}'}} : f32[]
result %y"""


@pytest.mark.parametrize("reducer", ["add", "multiply", "maximum"])
@pytest.mark.parametrize("n", [LEAST, LEAST + 1, LEAST + BLOCK - 1, 27 * BLOCK + 3, 31 * BLOCK])
def test_every_bit_stays(n: int, reducer: str) -> None:
    module = from_text(f'module "m" {{\n{SUM.format(n=n, reducer=reducer)}\n}}')
    spread = spread_reduce(module, Options())
    assert len(spread.body.ops) > len(module.body.ops)
    for seed in range(3):
        x = hostile(np.random.default_rng(seed), module.body.params[0].type, odd=seed * 1e-3)
        with np.errstate(all="ignore"):
            got, want = (evaluate(m, [x], Options()) for m in (spread, module))
        np.testing.assert_array_equal(bits(got[0]), bits(want[0]))


def test_short_ones_stay() -> None:
    module = from_text(f'module "m" {{\n{SUM.format(n=LEAST - 1, reducer="add")}\n}}')
    assert [op.kind for op in spread_reduce(module, Options()).body.ops] == ["constant", "reduce"]
