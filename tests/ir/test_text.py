"""The text form: exact, readable, and refused with the line where it cannot be read."""

import numpy as np
import pytest

from spindle.errors import InternalError
from spindle.ir.graph import Module, Op, Region, TensorType, Value, constant
from spindle.ir.text import from_text, number, to_text

ALL_FORMS = """module "step: \\"x\\"" mesh {'x': 2} {
  param %0 : f32[2,3] as "params['a  # b']"
  param %1 : i32[] as ""
  %2 = constant 0.1 : f32[2,3]
  %3 = constant bits'7fc00001' : f32[2]
  %4 = constant [1.0, -0.0, nan, bits'ffc00000', -inf, 1e-45, 0.33333334] : f32[7]
  %5 = constant [True, False] : i1[2]
  %6 = constant [-2147483648, 7] : i32[2]
  %7 = constant [4294967295, 7] : ui32[2]
  %8 = constant [] : f32[0,2]
  %9 = dot_general %0, %2 {lhs_batch=(), lhs_contract=(1,), numerics=DotNumerics(mode='bfp28', \
mantissa=28, k_block=512, swapped=True), precision='DEFAULT', rhs_batch=(), rhs_contract=(1,)} \
: f32[2,2]  # model.py:41 (loss)
  %10, %11 = while %1, %9 {trip_count=None} : i32[], f32[2,2] {
    param %12 : i32[]
    param %13 : f32[2,2]
    %14 = compare %12, %12 {direction='NE'} : i1[]
    return %14
  } {
    param %15 : i32[]
    param %16 : f32[2,2]
    %17 = constant 0.0 : f32[]
    %18 = reduce %16, %17 {dims=(0, 1), numerics=ReduceTree(block=256), reducer='add'} : f32[]
    return %15, %16
  }  # model.py:50
  result %11 as "out"
  result %1 as "" in 1
}
""".replace("  }  # model.py:50", "  }")


def test_every_form_reads_back_to_the_same_text() -> None:
    assert to_text(from_text(ALL_FORMS)) == ALL_FORMS


def test_fields_of_the_module_read_back() -> None:
    module = from_text(ALL_FORMS)
    assert module.name == 'step: "x"'
    assert module.mesh == {"x": 2}
    assert module.donated == {1: 1}
    assert module.param_names == ("params['a  # b']", "")
    assert module.result_names == ("out", "")
    assert module.body.ops[7].loc == "model.py:41 (loss)"


def test_constants_keep_every_bit() -> None:
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**32, (20, 20), dtype=np.uint32)
    for n in (1, 3, 20):
        op = constant(words.view(np.float32)[:n, :n], "f32")
        module = Module("m", Region((), (op,), (op.result,)))
        value = from_text(to_text(module)).body.ops[0].attrs["value"]
        assert value.shape == (n, n)
        assert np.array_equal(value.view(np.uint32), words[:n, :n])


def test_masks_and_integers_keep_their_type_when_large() -> None:
    for dtype in ("i1", "i32", "ui32"):
        op = constant(np.arange(100) % 3, dtype)
        module = Module("m", Region((), (op,), (op.result,)))
        value = from_text(to_text(module)).body.ops[0].attrs["value"]
        assert value.dtype == op.attrs["value"].dtype
        assert np.array_equal(value, op.attrs["value"])


def test_elided_text_is_short_and_refused() -> None:
    op = constant(np.arange(1000), "f32")
    text = to_text(Module("m", Region((), (op,), (op.result,))), elide=True)
    assert "constant <1000 elements> : f32[1000]" in text
    with pytest.raises(InternalError, match="was elided"):
        from_text(text)


def test_unnamed_values_are_numbered() -> None:
    x = Value(TensorType((2,), "f32"))
    op = Op("negate", (x,), (Value(x.type),), loc="a.py:1")
    module = Module("m", Region((x,), (op,), (op.result,)))
    assert "  %1 = negate %0 : f32[2]  # a.py:1\n" in to_text(module)
    assert number(module).body.params[0].name == "0"
    assert x.name == ""


@pytest.mark.parametrize(
    "line",
    ["%1 = negate %9 : f32[2]", "%0 = negate %0 : f32[2]", "%1 = negate %0", "%1 = x : f64[2]"],
)
def test_what_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(InternalError, match="cannot read"):
        from_text(f'module "m" {{\n  param %0 : f32[2]\n  {line}\n  result %1\n}}\n')
