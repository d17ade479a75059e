"""hold_types: on words every kind of op makes the bits that it makes on each type itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from pass_tools import assert_same_bits, program

from spindle.errors import UnsupportedError
from spindle.ir.dtypes import INTEGERS, SMALL_FLOATS, bit_width
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import DTYPES, PAIRS, Module, walk
from spindle.ir.held import HELD
from spindle.ir.kinds import BINARY, FLOAT_ONLY, INTEGER_ONLY, UNARY
from spindle.ir.text import from_text, number, to_text
from spindle.ir.verify import verify
from spindle.options import Options
from spindle.passes.hold_types import hold_types
from spindle.passes.pipeline import run

N = 600
FLOATS = sorted(SMALL_FLOATS)
WHOLE = sorted(INTEGERS - {"i32", "ui32"})
TYPES = FLOATS + WHOLE


def held(module: Module, seeds: int = 2, odd: float = 0.4) -> Module:
    """Rewrite a Module; compare bits and text, and check that words alone hold other types."""
    verify(module)
    text = to_text(number(module))
    assert to_text(from_text(text)) == text
    after = hold_types(module, Options())
    verify(after)
    made = [op for op in walk(after.body) if any(v.dtype in HELD for v in op.results)]
    assert {op.kind for op in made} <= {"words"}
    assert_same_bits(module, after, seeds=seeds, odd=odd)
    return after


def kinds(family: frozenset[str], dtype: str) -> list[str]:
    """List the kinds of a family that a type has."""
    found = family - (INTEGER_ONLY | {"and", "or", "xor", "not"} if dtype in FLOATS else FLOAT_ONLY)
    return sorted(found - {"power", "is_finite"} if dtype in PAIRS else found)


def on(dtype: str, rows: list[str]) -> Module:
    """Make a program of rows on three vectors, all results returned."""
    params = [f"param %{i} : {dtype}[{N}]" for i in range(3)]
    body = [f"%{i} = {row}" for i, row in enumerate(rows, 3)]
    results = [f"result %{i}" for i in range(3, 3 + len(rows))]
    return program("\n".join([*params, *body, *results]))


@pytest.mark.parametrize("dtype", TYPES)
def test_elementwise_kinds(dtype: str) -> None:
    out = f"{dtype}[{N}]"
    rows = [f"{kind} %0, %1 : {out}" for kind in kinds(BINARY, dtype)]
    for kind in kinds(UNARY, dtype):
        rows.append(f"{kind} %0 : {'i1' if kind == 'is_finite' else dtype}[{N}]")
    rows += [f"compare %0, %1 {{direction='{d}'}} : i1[{N}]" for d in ("EQ", "NE", "LT", "LE")]
    rows += [f"compare %0, %1 {{direction='{d}'}} : i1[{N}]" for d in ("GT", "GE")]
    rows += [f"clamp %0, %1, %2 : {out}", f"select %{3 + len(rows) - 1}, %0, %1 : {out}"]
    held(on(dtype, rows))


@pytest.mark.parametrize("dtype", TYPES)
def test_conversions(dtype: str) -> None:
    others = [other for other in DTYPES if other != dtype]
    held(on(dtype, [f"convert %0 : {other}[{N}]" for other in others]), odd=0.9)
    for other in ("f32", "i32", "ui32", "i1"):
        held(on(other, [f"convert %0 : {dtype}[{N}]"]), odd=0.5)


@pytest.mark.parametrize(("small", "large"), [("bf16", "f32"), ("f16", "f32")])
def test_every_small_float_and_its_neighbours(small: str, large: str) -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(DTYPES[small])
    there = program(f"param %0 : {small}[65536]\n%1 = convert %0 : {large}[65536]\nresult %1")
    back = program(f"param %0 : {large}[65536]\n%1 = convert %0 : {small}[65536]\nresult %1")
    (wide,) = evaluate(there, [every])
    words = wide.view(np.uint32)
    half = {"bf16": 1 << 15, "f16": 1 << 12}[small]
    for step in (0, 1, -1, half, half - 1, half + 1):
        near = (words + np.uint32(step & 0xFFFFFFFF)).view(np.float32)
        wanted, got = (evaluate(m, [near])[0] for m in (back, hold_types(back, Options())))
        assert np.array_equal(wanted.view(np.uint16), got.view(np.uint16))
        ok = ~np.isnan(near)
        with np.errstate(all="ignore"):
            expected = near.astype(DTYPES[small])
        assert np.array_equal(wanted[ok].view(np.uint16), expected[ok].view(np.uint16))
    assert np.array_equal(evaluate(hold_types(there, Options()), [every])[0].view(np.uint32), words)


WIDTHS = [(a, b) for a, b in itertools.product(DTYPES, DTYPES) if "i1" not in (a, b)]


@pytest.mark.parametrize("dtype", [*TYPES, "f32", "i32"])
def test_bitcasts(dtype: str) -> None:
    for other in (b for a, b in WIDTHS if a == dtype):
        here, there = bit_width(dtype), bit_width(other)
        source = "3,5" if here >= there else f"3,5,{there // here}"
        result = "3,5" if here <= there else f"3,5,{here // there}"
        module = program(
            f"param %0 : {dtype}[{source}]\n%1 = bitcast_convert %0 : {other}[{result}]\nresult %1"
        )
        held(module, odd=0.9)


MOVES = """param %0 : {t}[4,6]
    param %1 : {t}[4,6]
    param %2 : {t}[]
    param %3 : i32[]
    param %4 : i1[4,6]
    param %5 : i32[1,5,1]
    %6 = constant [1, 2, 3, 0] : {t}[4]
    %7 = constant 2 : {t}[4,6]
    %8 = iota {{dim=1}} : {t}[3,300]
    %9 = broadcast_in_dim %2 {{dims=()}} : {t}[2,3]
    %10 = transpose %0 {{permutation=(1, 0)}} : {t}[6,4]
    %11 = slice %0 {{limit=(4, 5), start=(1, 0), strides=(1, 2)}} : {t}[3,3]
    %12 = reverse %0 {{dims=(0,)}} : {t}[4,6]
    %13 = concatenate %0, %1 {{dim=1}} : {t}[4,12]
    %14 = dynamic_slice %0, %3, %3 {{sizes=(2, 3)}} : {t}[2,3]
    %15 = dynamic_update_slice %0, %14, %3, %3 : {t}[4,6]
    %16 = pad %0, %2 {{high=(1, 0), interior=(0, 1), low=(-1, 2)}} : {t}[4,13]
    %17 = select %4, %0, %1 : {t}[4,6]
    %18 = reshape %0 : {t}[1,4,6]
    %19 = gather %18, %5 {{axes=(1,)}} : {t}[1,5,1,6]
    %20 = scatter %18, %5, %19 {{axes=(1,), reducer='update'}} : {t}[1,4,6]
    %21, %22 = sort %0, %1 {{dim=1, keys=(('GT', False),)}} : {t}[4,6], {t}[4,6]
    %23, %24 = sort %0, %1 {{dim=1, keys=(('LT', True), ('GT', True))}} : {t}[4,6], {t}[4,6]
    {results}"""


@pytest.mark.parametrize("dtype", TYPES)
def test_moves(dtype: str) -> None:
    results = "\n".join(f"result %{i}" for i in range(6, 25))
    module = program(MOVES.format(t=dtype, results=results))
    held(module, seeds=3)


REDUCES = """param %0 : {t}[{n},3]
    param %1 : {t}[]
    %2 = reduce %0, %1 {{dims=(0,), reducer='{reducer}'}} : {t}[3]
    %3 = reduce_window %0, %1 {{base_dilation=(1, 1), padding=((1, 0), (0, 0)), \
reducer='{reducer}', strides=(1, 1), window=(2, 1), window_dilation=(1, 1)}} : {t}[{n},3]
    {results}"""


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("reducer", ["add", "multiply", "maximum", "minimum", "and", "or"])
def test_reductions(dtype: str, reducer: str) -> None:
    if dtype in FLOATS and reducer in ("and", "or"):
        return
    windows = dtype not in PAIRS or reducer in ("add", "and", "or")
    results = "result %2\nresult %3" if windows else "result %2"
    text = REDUCES.format(t=dtype, n=300, reducer=reducer, results=results)
    if not windows:
        text = "\n".join(line for line in text.splitlines() if "reduce_window" not in line)
    if dtype in PAIRS and reducer == "multiply":
        with pytest.raises(UnsupportedError, match=r"stablehlo.reduce with multiply of u?i64"):
            hold_types(program(text), Options())
        return
    held(program(text), seeds=3)


@pytest.mark.parametrize("n", [1 << 16, (1 << 16) + 1])
def test_sums_of_64_bits_at_the_limit_of_their_limbs(n: int) -> None:
    module = program(
        f"param %0 : ui64[{n}]\nparam %1 : ui64[]\n"
        "%2 = reduce %0, %1 {dims=(0,), reducer='add'} : ui64[]\nresult %2"
    )
    ones = np.full(n, 2**64 - 1, np.uint64)
    (got,) = evaluate(hold_types(module, Options()), [ones, np.array(5, np.uint64)])
    assert int(got) == (5 - n) % 2**64


SCATTERS = """param %0 : {t}[1,4]
    param %1 : i32[1,30,1]
    param %2 : {t}[1,30,1]
    %3 = scatter %0, %1, %2 {{axes=(1,), reducer='{reducer}'}} : {t}[1,4]
    result %3"""


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("reducer", ["add", "update"])
def test_scatters(dtype: str, reducer: str) -> None:
    held(program(SCATTERS.format(t=dtype, reducer=reducer)), seeds=3)


def test_64_bit_counter_of_a_loop() -> None:
    module = program(
        """param %0 : i64[2]
        param %1 : bf16[2]
        %2 = constant 4294967290 : i64[]
        %3, %4, %5 = while %2, %0, %1 {trip_count=None} : i64[], i64[2], bf16[2] {
          param %a : i64[]
          param %b : i64[2]
          param %c : bf16[2]
          %l = constant 4294967300 : i64[]
          %t = compare %a, %l {direction='LT'} : i1[]
          return %t
        } {
          param %a : i64[]
          param %b : i64[2]
          param %c : bf16[2]
          %o = constant 1 : i64[]
          %n = add %a, %o : i64[]
          %w = broadcast_in_dim %n {dims=()} : i64[2]
          %m = multiply %b, %w : i64[2]
          %d = multiply %c, %c : bf16[2]
          return %n, %m, %d
        }
        result %3
        result %4
        result %5"""
    )
    held(module)
    assert_same_bits(module, run(module, Options()))


def test_a_result_that_is_a_parameter_or_a_constant_stays_one() -> None:
    module = program(
        "param %0 : i64[3]\nparam %1 : bf16[3]\n%2 = constant 7 : ui64[3]\n"
        "result %0\nresult %1\nresult %2\nresult %0"
    )
    held(module)
    assert_same_bits(module, run(module, Options()))


def test_nothing_to_hold_changes_nothing() -> None:
    module = program("param %0 : f32[3]\n%1 = negate %0 : f32[3]\nresult %1")
    assert hold_types(module, Options()) is module


def test_what_64_bits_cannot_do_names_its_line() -> None:
    module = program(
        "param %0 : i64[2]\n%1 = power %0, %0 : i64[2]  # model.py:7 (loss)\nresult %1"
    )
    with pytest.raises(UnsupportedError, match=r"^model.py:7 .*stablehlo.power of i64\[2\].*int32"):
        hold_types(module, Options())
