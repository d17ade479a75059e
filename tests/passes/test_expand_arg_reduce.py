"""expand_arg_reduce: the best value, then the smallest number of an equal element."""

import pytest
from pass_tools import assert_same_bits, body_text, program

from spindle.ir.graph import walk
from spindle.options import Options
from spindle.passes.expand_arg_reduce import expand_arg_reduce

PROGRAM = """param %0 : f32[3,7]
        param %1 : i32[3,7]
        param %2 : f32[]
        param %3 : i32[]
        %4 = arg_reduce %0, %1, %2, %3 {{dims={}, reducer='{}'}} : i32[{}]
        result %4"""


@pytest.mark.parametrize("reducer", ["maximum", "minimum"])
@pytest.mark.parametrize(("dims", "shape"), [("(1,)", "3"), ("(0,)", "7"), ("(0, 1)", "")])
def test_bits_stay_for_any_numbers_and_init(dims: str, shape: str, reducer: str) -> None:
    module = program(PROGRAM.format(dims, reducer, shape))
    expanded = expand_arg_reduce(module, Options())
    assert all(op.kind != "arg_reduce" for op in walk(expanded.body))
    assert_same_bits(module, expanded, seeds=6)


def test_integers_need_no_look_at_nan() -> None:
    text = PROGRAM.replace("f32", "i32").format("(1,)", "maximum", "3")
    module = program(text)
    expanded = expand_arg_reduce(module, Options())
    assert "NE" not in body_text(expanded)
    assert_same_bits(module, expanded, seeds=4)
