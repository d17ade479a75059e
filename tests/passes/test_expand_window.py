"""expand_window, expand_select_scatter, expand_pad: bits stay on hostile data, in few steps."""

import pytest
from pass_tools import assert_same_bits, check, program

from spindle.ir.graph import walk
from spindle.options import Options
from spindle.passes.expand_pad import expand_pad
from spindle.passes.expand_select_scatter import expand_select_scatter
from spindle.passes.expand_window import expand_window
from spindle.passes.pipeline import run

WINDOW = """param %0 : {type}[5,40]
        param %1 : {type}[]
        %2 = reduce_window %0, %1 {{base_dilation=(1, {base}), padding=((1, 1), ({low}, 2)), \
reducer='{reducer}', strides=(2, {stride}), window=(3, {window}), window_dilation=(1, {inner})}} \
: {type}[3,{n}]
        result %2"""


def window(
    window: int, stride: int, base: int = 1, inner: int = 1, low: int = 3, **more: str
) -> str:
    """A program with one reduce_window; more: type, reducer."""
    n = (low + 39 * base + 1 + 2 - ((window - 1) * inner + 1)) // stride + 1
    words = {"type": "f32", "reducer": "add", **more}
    return WINDOW.format(
        window=window, stride=stride, base=base, inner=inner, low=low, n=n, **words
    )


@pytest.mark.parametrize("reducer", ["add", "multiply", "maximum", "minimum"])
@pytest.mark.parametrize(
    "sizes", [(1, 1), (4, 1), (5, 1), (8, 1), (13, 1), (4, 3), (9, 2), (16, 2)]
)
def test_windows_keep_bits(sizes: tuple[int, int], reducer: str) -> None:
    module = program(window(*sizes, reducer=reducer))
    assert_same_bits(module, run(module, Options()), seeds=3)


@pytest.mark.parametrize("reducer", ["add", "and", "maximum"])
def test_integers_dilated(reducer: str) -> None:
    module = program(window(6, 2, base=2, inner=3, low=-1, type="i32", reducer=reducer))
    assert_same_bits(module, run(module, Options()), seeds=3)


def test_a_long_window_takes_log_steps() -> None:
    expanded = expand_window(program(window(32, 1)), Options())
    adds = [op for op in walk(expanded.body) if op.kind == "add"]
    assert len(adds) == 5 + 2 + 1


def test_pad_between_and_around() -> None:
    check(
        expand_pad,
        """param %0 : f32[3]
        param %1 : f32[]
        %2 = pad %0, %1 {high=(-1,), interior=(1,), low=(2,)} : f32[6]
        result %2""",
        """param %0 : f32[3]
        param %1 : f32[]
        %2 = reshape %0 : f32[3,1]
        %3 = broadcast_in_dim %1 {dims=()} : f32[3,1]
        %4 = concatenate %2, %3 {dim=1} : f32[3,2]
        %5 = reshape %4 : f32[6]
        %6 = slice %5 {limit=(5,), start=(0,), strides=(1,)} : f32[5]
        %7 = slice %6 {limit=(4,), start=(0,), strides=(1,)} : f32[4]
        %8 = broadcast_in_dim %1 {dims=()} : f32[2]
        %9 = concatenate %8, %7 {dim=0} : f32[6]
        result %9""",
    )


SCATTER = """param %0 : {type}[4,9]
        param %1 : {type}[{m},{n}]
        param %2 : {type}[]
        %3 = select_and_scatter %0, %1, %2 {{direction='{direction}', \
padding=((1, 0), ({low}, 1)), strides=({s}, {t}), window=(2, {window})}} : {type}[4,9]
        result %3"""


@pytest.mark.parametrize("type_", ["f32", "i32"])
@pytest.mark.parametrize("direction", ["GE", "GT", "LE", "NE"])
@pytest.mark.parametrize(("s", "t", "window", "low"), [(1, 1, 3, 2), (2, 2, 3, 0), (3, 4, 2, 1)])
def test_select_and_scatter_keeps_bits(
    s: int, t: int, window: int, low: int, direction: str, type_: str
) -> None:
    m, n = (5 - 2) // s + 1, (low + 10 - window) // t + 1
    text = SCATTER.format(
        type=type_, m=m, n=n, direction=direction, low=low, s=s, t=t, window=window
    )
    module = program(text)
    assert all(
        op.kind != "select_and_scatter"
        for op in walk(expand_select_scatter(module, Options()).body)
    )
    assert_same_bits(module, run(module, Options()), seeds=3)
