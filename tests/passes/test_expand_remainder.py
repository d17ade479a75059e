"""expand_remainder: the bits of C's fmod, near and far, denormal and not finite."""

import numpy as np
import pytest
from pass_tools import assert_same_bits, bits, program

from spindle.ir.evaluate import evaluate
from spindle.options import Options
from spindle.passes.expand_remainder import expand_remainder
from spindle.passes.pipeline import run

PROGRAM = """param %0 : f32[{n}]
        param %1 : f32[{n}]
        %2 = remainder %0, %1 : f32[{n}]
        result %2"""


@pytest.mark.parametrize("n", ["", "0", "7", "3,5"])
def test_shapes_keep_bits(n: str) -> None:
    module = program(PROGRAM.format(n=n))
    assert_same_bits(module, run(module, Options()), seeds=6, odd=0.4)


def test_random_bit_patterns() -> None:
    rng = np.random.default_rng(2)
    words = rng.integers(0, 2**32, (2, 5000), dtype=np.uint64).astype(np.uint32)
    near = rng.integers(0, 2**9, (2, 5000)).astype(np.uint32)
    module = program(PROGRAM.format(n=5000))
    expanded = expand_remainder(module, Options())
    for pair in (words, near, np.stack([words[0], near[0]]), np.stack([words[0], words[0] ^ 9])):
        args = list(pair.view(np.float32))
        wanted, got = evaluate(module, args)[0], evaluate(expanded, args)[0]
        assert np.array_equal(bits(wanted), bits(got))


def test_integers_have_a_kernel() -> None:
    module = program(PROGRAM.format(n=4).replace("f32", "i32"))
    assert expand_remainder(module, Options()).body.ops == module.body.ops
