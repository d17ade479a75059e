"""expand_gather, expand_scatter, expand_reverse: every way of writing them keeps every bit."""

import pytest
from pass_tools import assert_same_bits, body_text, check, program

from spindle.ir.graph import Module, walk
from spindle.options import Options
from spindle.passes.expand_gather import expand_gather
from spindle.passes.expand_reverse import expand_reverse
from spindle.passes.expand_scatter import expand_scatter
from spindle.passes.pipeline import run

GATHER = """param %0 : {type}[{x}]
        param %1 : i32[{indices}]
        %2 = gather %0, %1 {{axes={axes}}} : {type}[{windows}]
        result %2"""
SCATTER = """param %0 : {type}[{x}]
        param %1 : i32[{indices}]
        param %2 : {type}[{windows}]
        %3 = scatter %0, %1, %2 {{axes={axes}, reducer='{reducer}'}} : {type}[{x}]
        result %3"""
FORMS = {
    "looked up": ("1,4,6", "1,9,1", "(1,)", "1,9,1,6"),
    "batch": ("3,4,6", "3,7,2", "(2, 1)", "3,7,1,1"),
    "unrolled": ("2,5,6", "2,2,1", "(1,)", "2,2,1,6"),
    "looped": ("1,70,60", "1,6,1", "(1,)", "1,6,1,60"),
    "looped batch": ("2,70,60", "2,4,1", "(2,)", "2,4,70,1"),
    "windows": ("2,4,7", "2,3,2", "(2, 1)", "2,3,2,3"),
    "part of an axis": ("1,4,7", "1,6,1", "(1,)", "1,6,1,3"),
    "no index": ("1,4", "1,6,0", "()", "1,6,2"),
}


def form(text: str, name: str, **words: str) -> Module:
    """A program with one gather or scatter of a form."""
    x, indices, axes, windows = FORMS[name]
    words = {"type": "f32", **words}
    return program(text.format(x=x, indices=indices, axes=axes, windows=windows, **words))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("type_", ["f32", "i32", "i1"])
def test_gathers_keep_bits(name: str, type_: str) -> None:
    module = form(GATHER, name, type=type_)
    assert all(op.kind != "gather" for op in walk(expand_gather(module, Options()).body))
    assert_same_bits(module, run(module, Options()), seeds=3)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("reducer", ["update", "add", "multiply", "maximum", "minimum"])
def test_scatters_keep_bits(name: str, reducer: str) -> None:
    module = form(SCATTER, name, reducer=reducer)
    assert all(op.kind != "scatter" for op in walk(expand_scatter(module, Options()).body))
    assert_same_bits(module, run(module, Options()), seeds=3)


@pytest.mark.parametrize("reducer", ["update", "add", "and"])
@pytest.mark.parametrize("type_", ["i32", "ui32", "i1"])
def test_scatters_of_integers_keep_bits(reducer: str, type_: str) -> None:
    module = form(SCATTER, "looked up", reducer=reducer, type=type_)
    assert_same_bits(module, run(module, Options()), seeds=3)


def test_known_rows_are_slices() -> None:
    module = program(
        """param %0 : f32[1,4,2]
        %1 = constant [3, -1, 0, 9, 2] : i32[1,5,1]
        %2 = gather %0, %1 {axes=(1,)} : f32[1,5,1,2]
        result %2"""
    )
    lowered = run(module, Options())
    assert {op.kind for op in lowered.body.ops} <= {
        "constant", "dynamic_slice", "slice", "concatenate", "reshape",
    }  # fmt: skip
    assert_same_bits(module, lowered)


def test_only_what_is_too_large_is_a_loop() -> None:
    for name in FORMS:
        has_loop = "while" in body_text(run(form(GATHER, name), Options()))
        assert has_loop == (name not in ("looked up", "batch", "unrolled"))


def test_reverse_of_a_short_axis() -> None:
    check(
        expand_reverse,
        """param %0 : f32[2,1]
        %1 = reverse %0 {dims=(0, 1)} : f32[2,1]
        result %1""",
        """param %0 : f32[2,1]
        %1 = slice %0 {limit=(2, 1), start=(1, 0), strides=(1, 1)} : f32[1,1]
        %2 = slice %0 {limit=(1, 1), start=(0, 0), strides=(1, 1)} : f32[1,1]
        %3 = concatenate %1, %2 {dim=0} : f32[2,1]
        result %3""",
    )
