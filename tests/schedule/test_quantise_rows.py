"""quantise_rows: rows whole or in pieces, at the limits; panels as in docs/spec/dots16.md 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from native_tools import check, module_of

from spindle.ir.plan import Task, TaskStep
from spindle.ir.plan_check import operand_span, tile_words
from spindle.options import Options
from spindle.passes import pipeline
from spindle.schedule.plan import plan
from spindle.spec.tables import QUANTISE_GIVEN, QUANTISE_WIDE, SCAN_WORDS


def tasks(fn: Callable[..., Any], matmul: Any, *shapes: tuple[int, ...]) -> list[Task]:
    """The tasks of a function of arrays of these shapes."""
    options = Options(matmul=matmul)
    module = module_of(fn, [np.ones(shape, np.float32) for shape in shapes])
    steps = plan(pipeline.run(module, options), options).steps
    return [step.task for step in steps if isinstance(step, TaskStep)]


def product(a: Any, b: Any) -> Any:
    """Rows of both operands lie along k."""
    return a @ b.T


@pytest.mark.parametrize(("matmul", "form"), [("bfp13", 1), ("bfp16", 2)])
def test_a_short_row_is_quantised_whole(matmul: str, form: int) -> None:
    left, right, dot = tasks(product, matmul, (9, 64), (12, 64))
    kernel = matmul.replace("bfp", "QUANTISE_")
    assert {left.kernel, right.kernel} == {kernel} and dot.kernel == matmul.replace("bfp", "DOT_S")
    assert {left.tile[3], right.tile[3]} == {64}
    assert {left.arg, right.arg} == ({QUANTISE_WIDE, 0} if matmul == "bfp16" else {0})
    a, b = dot.operands[:2]
    assert (a.unit_words, b.unit_words) == (12 * form, 12)


@pytest.mark.parametrize(("matmul", "limit", "lost"), [("bfp13", 864, 2), ("bfp16", 648, 1)])
def test_rows_that_fit_in_half_of_the_arena(matmul: str, limit: int, lost: int) -> None:
    """Three rows of K floats and as many mantissas: half a word each, or a word in bfp16's lhs."""
    for k in (limit - 1, limit, limit + 1):
        found = tasks(product, matmul, (96, k), (96, k))
        quantising = [task for task in found if task.kernel.startswith("QUANTISE")]
        whole = [task for task in quantising if not task.arg & QUANTISE_GIVEN]
        assert len(whole) == (2 if k <= limit else 2 - lost), k


@pytest.mark.parametrize("matmul", ["bfp13", "bfp16"])
@pytest.mark.parametrize("k", [647, 648, 649, 863, 864, 865])
def test_bits_at_the_limit(k: int, matmul: Any) -> None:
    rng = np.random.default_rng(k)
    args = [rng.standard_normal((4, k)).astype(np.float32) for _ in range(2)]
    args[0][1, k - 1], args[1][0, 3] = np.inf, np.nan
    check(product, args, cores=(16,), options=Options(matmul=matmul))


def test_long_rows_are_read_twice() -> None:
    found = tasks(product, "bfp16", (3, 5000), (3, 5000))
    scans = [task for task in found if task.kernel == "SCAN_FREE"]
    pieces = [task for task in found if task.kernel == "QUANTISE_16"]
    assert [task.arg for task in scans] == [SCAN_WORDS] * 2
    assert {task.arg for task in pieces} == {QUANTISE_GIVEN, QUANTISE_GIVEN | QUANTISE_WIDE}
    assert all(task.tile[3] % 8 == 0 for task in pieces)


def test_rows_that_lie_across_are_read_twice_where_that_is_faster() -> None:
    """Three columns of a matrix at a time would be 512 transfers of three words."""
    kernels = [task.kernel for task in tasks(lambda a, b: a @ b, "bfp13", (512, 512), (512, 512))]
    assert sorted(kernels) == ["DOT_S13", "QUANTISE_13", "QUANTISE_13", "SCAN_FREE"]
    short = [task.kernel for task in tasks(lambda a, b: a @ b, "bfp13", (60, 30), (30, 60))]
    assert sorted(short) == ["DOT_S13", "QUANTISE_13", "QUANTISE_13"]


def test_a_convolution_gives_the_exponents() -> None:
    def layer(x: Any, w: Any) -> Any:
        dims = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=dims)

    found = tasks(layer, "bfp16", (1, 6, 6, 3), (3, 3, 3, 4))
    kernels = [task.kernel for task in found]
    assert "SCAN_FREE" not in kernels and "BALANCE" not in kernels
    assert all(t.arg & QUANTISE_GIVEN for t in found if t.kernel == "QUANTISE_16")


def test_panels_of_seven_rows_and_twenty_k() -> None:
    """3 triples of 3 chunks; a chunk of a triple is 12 words, or 24 where it is wide."""
    found = tasks(product, "bfp16", (7, 20), (8, 20))
    (dot,) = [task for task in found if task.kernel == "DOT_S16"]
    for operand, words, side in zip(dot.operands[:2], (24, 12), dot.tile[1:3], strict=True):
        assert operand_span(dot, operand) == (0, 3 * 3 * words * 4)
        assert tile_words(dot, operand) == side // 3 * 3 * words
    assert [operand_span(dot, op) for op in dot.operands[2:4]] == [(0, 28), (0, 32)]


def test_tiles_are_in_threes_and_in_whole_chunks() -> None:
    for task in tasks(product, "bfp13", (100, 300), (77, 300)):
        assert task.tile[1] % 3 == 0
        if task.kernel == "DOT_S13":
            assert task.tile[2] % 3 == 0 and task.tile[3] % 8 == 0 and task.k_block == 0
