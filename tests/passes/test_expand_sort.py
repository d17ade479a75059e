"""expand_sort: counting and the network keep every bit of a stable sort."""

import pytest
from pass_tools import assert_same_bits, program

from spindle.ir.graph import walk
from spindle.options import Options
from spindle.passes.expand_sort import by_counting, expand_sort
from spindle.passes.pipeline import run

SORT = """param %0 : {type}[{shape}]
        param %1 : i32[{shape}]
        param %2 : f32[{shape}]
        %3, %4, %5 = sort %0, %1, %2 {{dim={dim}, keys={keys}}} : {type}[{shape}], i32[{shape}], f32[{shape}]
        result %3
        result %4
        result %5"""  # noqa: E501


@pytest.mark.parametrize("type_", ["f32", "i32", "ui32", "i1"])
@pytest.mark.parametrize("shape", ["3,8", "2,13", "2,1400", "3,0", "2,1"])
@pytest.mark.parametrize("keys", ["(('LT', False),)", "(('GT', True), ('LT', False))"])
def test_bits_stay(type_: str, shape: str, keys: str) -> None:
    module = program(SORT.format(type=type_, shape=shape, dim=1, keys=keys))
    assert all(op.kind != "sort" for op in walk(expand_sort(module, Options()).body))
    assert_same_bits(module, run(module, Options()), seeds=3, odd=0.4)


def test_bits_stay_along_the_first_axis() -> None:
    for shape in ("9,3", "1400,2"):
        module = program(SORT.format(type="f32", shape=shape, dim=0, keys="(('LT', False),)"))
        assert_same_bits(module, run(module, Options()), seeds=3, odd=0.4)


def test_only_long_axes_take_the_network() -> None:
    for n, rows in ((64, 1000), (400, 64), (1400, 1), (600, 64), (1800, 1)):
        text = SORT.format(type="i32", shape=f"{rows},{n}", dim=1, keys="(('LT', False),)")
        expanded = walk(expand_sort(program(text), Options()).body)
        trips = [op.attrs["trip_count"] for op in expanded if op.kind == "while"]
        assert trips == ([] if by_counting(n, rows) else [n.bit_length() ** 2])
        assert by_counting(n, rows) == ((n, rows) not in ((600, 64), (1800, 1)))
