"""lower_reverse: slices in the other order, whatever the extent."""

import numpy as np
import pytest
from pass_tools import assert_same_bits, check, program

from spindle.ir.graph import walk
from spindle.ir.verify import verify
from spindle.options import Options
from spindle.passes.lower_reverse import lower_reverse


def test_an_axis_of_few_elements_is_taken_apart():
    check(
        lower_reverse,
        """param %x : f32[2,3]
        %1 = reverse %x {dims=(0,)} : f32[2,3]
        result %1""",
        """param %x : f32[2,3]
        %1 = slice %x {limit=(2, 3), start=(1, 0), strides=(1, 1)} : f32[1,3]
        %2 = slice %x {limit=(1, 3), start=(0, 0), strides=(1, 1)} : f32[1,3]
        %3 = concatenate %1, %2 {dim=0} : f32[2,3]
        result %3""",
    )


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8, 11, 12, 49, 97, 128])
def test_every_extent_and_several_axes(n):
    before = program(
        f"param %x : i32[3,{n},2]\n%1 = reverse %x {{dims=(1, 2)}} : i32[3,{n},2]\nresult %1"
    )
    after = lower_reverse(before, Options())
    verify(after)
    assert_same_bits(before, after)
    kinds = [op.kind for op in walk(after.body)]
    assert "reverse" not in kinds and kinds.count("slice") <= 7 * max(np.log2(n or 1), 1) + 8
