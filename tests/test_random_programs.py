"""Random programs: evaluator and native agree to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from native_tools import assert_same_bits, module_of, native, run_image
from random_programs import program

from spindle.compile import compile_module
from spindle.errors import UnsupportedError
from spindle.ir.evaluate import evaluate
from spindle.options import Options

SEEDS = [*range(12), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(12, 300))]


@pytest.mark.parametrize("seed", SEEDS)
def test_native_is_the_evaluator(seed: int) -> None:
    fn, args = program(seed)
    module = module_of(fn, args)
    rng = np.random.default_rng(seed)
    options = Options(max_tile=rng.choice([None, 8, 24]))
    want = evaluate(module, args, options)
    try:
        image = compile_module(module, options)
    except UnsupportedError as error:
        pytest.skip(str(error))
    for cores, dma_mode in ((16, 0), (int(rng.integers(1, 17)), 1)):
        with native(cores, dma_mode) as machine:
            assert_same_bits(run_image(image, args, machine), [np.asarray(w) for w in want])
