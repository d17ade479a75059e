"""fix_numerics: the table precision x options -> mode, and which sums get a tree."""

import pytest
from pass_tools import program

from spindle.ir.dot_modes import of_mode
from spindle.ir.graph import ReduceTree
from spindle.options import Matmul, Options
from spindle.passes.fix_numerics import fix_numerics


@pytest.mark.parametrize(
    ("precision", "matmul", "mode"),
    [
        ("DEFAULT", "bfp28", "bfp28"),
        ("DEFAULT", "float32", "float32"),
        ("DEFAULT", "bfp16", "bfp16"),
        ("DEFAULT", "bfp13", "bfp13"),
        ("HIGH", "float32", "bfp16"),
        ("HIGHEST", "float32", "bfp28"),
        ("float32", "bfp28", "float32"),
    ],
)
def test_a_dot_gets_the_mode_of_its_precision(precision: str, matmul: Matmul, mode: str) -> None:
    module = program(
        f"""param %0 : f32[2,3]
        param %1 : f32[3,2]
        %2 = dot_general %0, %1 {{lhs_batch=(), lhs_contract=(1,), precision={precision!r}, \
rhs_batch=(), rhs_contract=(0,)}} : f32[2,2]
        result %2"""
    )
    (dot,) = fix_numerics(module, Options(matmul=matmul)).body.ops
    assert dot.attrs["numerics"] == of_mode(mode)


@pytest.mark.parametrize(
    ("dtype", "reducer", "numerics"),
    [
        ("f32", "add", ReduceTree()),
        ("f32", "multiply", ReduceTree()),
        ("f32", "maximum", None),
        ("i32", "add", None),
    ],
)
def test_only_ordered_reductions_get_a_tree(
    dtype: str, reducer: str, numerics: ReduceTree | None
) -> None:
    module = program(
        f"""param %0 : {dtype}[2,3]
        %1 = constant {"1.0" if dtype == "f32" else "1"} : {dtype}[]
        %2 = reduce %0, %1 {{dims=(1,), reducer={reducer!r}}} : {dtype}[2]
        result %2"""
    )
    assert fix_numerics(module, Options()).body.ops[1].attrs.get("numerics") == numerics


def test_numerics_already_there_stay() -> None:
    module = program(
        """param %0 : f32[2,3]
        %1 = constant 0.0 : f32[]
        %2 = reduce %0, %1 {dims=(1,), numerics=ReduceTree(block=8), reducer='add'} : f32[2]
        result %2"""
    )
    once = fix_numerics(module, Options())
    assert once.body.ops[1].attrs["numerics"] == ReduceTree(8)
