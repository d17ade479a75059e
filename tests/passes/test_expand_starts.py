"""expand_starts: slices moved along many axes take several steps, and the same window."""

from __future__ import annotations

import pytest
from pass_tools import assert_same_bits, program

from spindle.ir.graph import Module, walk
from spindle.options import Options
from spindle.passes.expand_starts import expand_starts
from spindle.passes.pipeline import run

SLICE = """param %0 : f32[{shape}]
    {starts}
    %9 = dynamic_slice %0, {names} {{sizes={sizes}}} : f32[{taken}]
    result %9"""
UPDATE = """param %0 : f32[{shape}]
    param %8 : f32[{taken}]
    {starts}
    %9 = dynamic_update_slice %0, %8, {names} : f32[{shape}]
    result %9"""


def moved(text: str, extents: list[int], sizes: list[int]) -> Module:
    """A program that moves a window along every axis."""
    n = len(extents)
    return program(
        text.format(
            shape=",".join(map(str, extents)),
            taken=",".join(map(str, sizes)),
            sizes=tuple(sizes),
            starts="\n".join(f"param %s{i} : {'ui32' if i == 1 else 'i32'}[]" for i in range(n)),
            names=", ".join(f"%s{i}" for i in range(n)),
        )
    )


def slices(module: Module) -> list[str]:
    return [op.kind for op in walk(module.body) if op.kind.startswith("dynamic")]


@pytest.mark.parametrize(("n", "steps"), [(3, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
@pytest.mark.parametrize("text", [SLICE, UPDATE])
def test_many_starts(text: str, n: int, steps: int) -> None:
    module = moved(text, [3] * n, [1 if i % 2 else 2 for i in range(n)])
    after = expand_starts(module, Options())
    made = steps if text is SLICE else 2 * steps - 1
    assert len(slices(after)) == made and (after is module or steps > 1 or n <= 4)
    assert_same_bits(module, run(module, Options()), seeds=4)


@pytest.mark.parametrize("text", [SLICE, UPDATE])
def test_a_start_of_all_there_is_moves_nothing(text: str) -> None:
    module = moved(text, [3] * 6, [2, 3, 2, 3, 1, 1])
    assert len(slices(expand_starts(module, Options()))) == 1
    assert_same_bits(module, run(module, Options()), seeds=4)
