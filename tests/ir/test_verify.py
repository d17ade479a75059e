"""verify: each rule of docs/spec/module.md has a program that breaks it."""

import pytest

from spindle.errors import InternalError
from spindle.ir.graph import Module, Op, Region, TensorType, Value
from spindle.ir.text import from_text
from spindle.ir.verify import verify, verify_lowered

PARAMS = """param %a : f32[2,3]
param %b : f32[3,2]
param %m : i1[2,3]
param %s : f32[]
param %i : i32[]
param %n : i32[2,3]
param %j : i32[2,4,1]
param %u : f32[2,4,2]
param %h : f32[2,2]
param %w : ui64[2]
"""


ARG = "%r = arg_reduce %a, {} {{dims=(1,), reducer='{}'}} : {}"
PAD = "%r = pad %a, %s {{high=(1, 0), interior={1}, low={0}}} : {2}"
WINDOW = """%r = reduce_window %a, %s {{base_dilation=(1, 1), padding=((0, 0), (0, 0)), \
reducer='{2}', strides={1}, window={0}, window_dilation=(1, 1)}} : {3}"""
SCATTER = """%r = select_and_scatter %a, {0}, %s {{direction='{1}', padding={2}, \
strides=(1, 1), window=(1, 2)}} : f32[2,3]"""
SOLVE = """%r = triangular_solve {} {{left_side={}, lower=True, transpose=False, \
unit_diagonal=False}} : {}"""
LOC = "  # model.py:7"
"""Added to each bad line; a line with regions says where."""
CASE = """%r = case %i, %a : f32[2,3] {LOC
  param %p : f32[2,3]
  return %p
} {
  param %q : f32[2,3]
  %n = negate %q : f32[2,3]
  return %n
}"""


def module(line: str) -> Module:
    return from_text(f'module "m" {{\n{PARAMS}{line}\nresult %a\n}}\n')


DOT = "{lhs_batch=(), lhs_contract=(1,), precision='DEFAULT', rhs_batch=(), rhs_contract=(0,)}"
GOOD = [
    "%r = add %a, %a : f32[2,3]",
    "%r = is_finite %a : i1[2,3]",
    "%r = select %m, %a, %a : f32[2,3]",
    "%r = clamp %a, %a, %a : f32[2,3]",
    "%r = convert %m : f32[2,3]",
    "%r = convert %m : bf16[2,3]",
    "%r = bitcast_convert %a : ui16[2,3,2]",
    "%r = bitcast_convert %h : i64[2]",
    "%r = words %w : ui32[2,2]",
    "%r = words %a : f16[2,3]",
    "%r = cholesky %h {lower=True} : f32[2,2]",
    SOLVE.format("%h, %a", True, "f32[2,3]"),
    SOLVE.format("%h, %b", False, "f32[3,2]"),
    "%r = reduce_precision %a {exponent_bits=5, mantissa_bits=0} : f32[2,3]",
    "%r, %t = rng_bit_generator %w {algorithm='THREE_FRY'} : ui64[2], ui8[3]",
    "%r = iota {dim=1} : f32[2,3]",
    "%r = reshape %a : f32[6]",
    "%r = broadcast_in_dim %a {dims=(2, 0)} : f32[3,5,2]",
    "%r = transpose %a {permutation=(1, 0)} : f32[3,2]",
    "%r = slice %a {limit=(2, 3), start=(0, 0), strides=(1, 2)} : f32[2,2]",
    "%r = strided %a {strides=(1, 1, 1)} : f32[2,3,2]",
    "%r = reverse %a {dims=(1, 0)} : f32[2,3]",
    "%r = dynamic_slice %a, %i, %i {sizes=(1, 3)} : f32[1,3]",
    "%r = dynamic_update_slice %a, %a, %i, %i : f32[2,3]",
    "%r = concatenate %a, %a {dim=1} : f32[2,6]",
    "%r = reduce %a, %s {dims=(0, 1), reducer='add'} : f32[]",
    f"%r = dot_general %a, %b {DOT} : f32[2,2]",
    CASE.replace("LOC", ""),
    ARG.format("%n, %s, %i", "maximum", "i32[2]"),
    PAD.format("(1, -1)", "(0, 0)", "f32[4,2]"),
    WINDOW.format("(1, 2)", "(1, 1)", "maximum", "f32[2,2]"),
    SCATTER.format("%b", "GE", "((0, 1), (0, 0))"),
    "%r = reverse %a {dims=(1,)} : f32[2,3]",
    "%r, %t = sort %a, %n {dim=1, keys=(('LT', False),)} : f32[2,3], i32[2,3]",
    "%r = gather %a, %j {axes=(1,)} : f32[2,4,2]",
    "%r = scatter %a, %j, %u {axes=(1,), reducer='update'} : f32[2,3]",
]
BAD = [
    (CASE.replace("case %i", "case %s"), "index must be a scalar i32"),
    (CASE.replace("case %i, %a", "case %i, %b"), "parameters differ from the operands"),
    (CASE.replace("case %i, %a : f32[2,3]", "case %i, %a : f32[3,2]"), "returns differ"),
    ("%r, %t = sort %a, %n {dim=2, keys=(('LT', False),)} : f32[2,3], i32[2,3]", "dim 2"),
    ("%r, %t = sort %a, %b {dim=1, keys=(('LT', False),)} : f32[2,3], f32[3,2]", "shapes differ"),
    ("%r = sort %a {dim=1, keys=()} : f32[2,3]", "0 keys of 1 operands"),
    ("%r = sort %a {dim=1, keys=(('LE', False),)} : f32[2,3]", "keys"),
    ("%r = sort %a {dim=1, keys=(('LT', False),)} : i32[2,3]", "the results differ"),
    ("%r = sort {dim=1, keys=()} : f32[2,3]", "needs an operand"),
    ("%r = reverse %a {dims=(2,)} : f32[2,3]", "outside rank"),
    ("%r = gather %a, %n {axes=(1,)} : f32[2,4,2]", "the indices are"),
    ("%r = gather %a, %j {axes=(0,)} : f32[2,4,2]", "axis 0 is the batch"),
    ("%r = gather %a, %j {axes=()} : f32[2,4,2]", "an index per axis"),
    ("%r = gather %b, %j {axes=(1,)} : f32[2,4,2]", "another batch"),
    ("%r = gather %a, %j {axes=(1,)} : f32[2,4,5]", "do not fit"),
    ("%r = gather %a, %j {axes=(1,)} : f32[2,3,2]", "a window per row"),
    ("%r = gather %a, %j {axes=(1,)} : f32[2,4]", "a window needs every axis"),
    ("%r = scatter %a, %j, %u {axes=(1,), reducer='or'} : f32[2,3]", "no bitwise"),
    ("%r = scatter %a, %j, %u {axes=(1,), reducer='x'} : f32[2,3]", "reducer 'x'"),
    ("%r = scatter %a, %j, %u {axes=(1,), reducer='add'} : f32[2,2]", "is needed"),
    (PAD.format("(1,)", "(0, 0)", "f32[4,2]"), "for every axis"),
    (PAD.format("(1, -1)", "(-1, 0)", "f32[4,2]"), "interior is negative"),
    (PAD.format("(0, -9)", "(0, 0)", "f32[3,2]"), "the result has the shape"),
    (PAD.format("(1, -1)", "(1, 0)", "f32[4,2]"), "must be f32"),
    (WINDOW.format("(1,)", "(1, 1)", "add", "f32[2,2]"), "window needs every axis"),
    (WINDOW.format("(1, 2)", "(1, 0)", "add", "f32[2,2]"), "strides must be positive"),
    (WINDOW.format("(1, 2)", "(1, 1)", "and", "f32[2,2]"), "no bitwise"),
    (WINDOW.format("(1, 2)", "(1, 1)", "add", "f32[2,3]"), "must be f32"),
    (SCATTER.format("%a", "GE", "((0, 1), (0, 0))"), "the source is f32"),
    (SCATTER.format("%b", "UP", "((0, 1), (0, 0))"), "direction 'UP'"),
    (SCATTER.format("%b", "GE", "((0, 1),)"), "padding needs every axis"),
    (ARG.format("%n, %s, %i", "add", "i32[2]"), "reducer 'add'"),
    (ARG.format("%m, %s, %i", "maximum", "i32[2]"), "the numbers are i1"),
    (ARG.format("%n, %i, %i", "maximum", "i32[2]"), "init is i32"),
    (ARG.format("%n, %s, %s", "maximum", "i32[2]"), "the init's number is f32"),
    (ARG.format("%n, %s, %i", "maximum", "f32[2]"), "must be i32"),
    ("%r = case %i : f32[]", "needs a region"),
    ("%r = frobnicate %a : f32[2,3]", "unknown kind"),
    ("%r = add %a : f32[2,3]", "needs 2 operands"),
    ("%r = add %a, %b : f32[2,3]", r"f32\[3,2\] where f32\[2,3\] is needed"),
    ("%r = negate %a : f32[3,2]", "is needed"),
    ("%r = tanh %i : i32[]", "where a float is needed"),
    ("%r = and %a, %a : f32[2,3]", "no bitwise"),
    ("%r = popcnt %m : i1[2,3]", "is no integer"),
    ("%r = is_finite %a : f32[2,3]", "must be i1"),
    ("%r = compare %a, %a {direction='UP'} : i1[2,3]", "direction 'UP'"),
    ("%r = compare %a, %a : i1[2,3]", "attribute 'direction' is missing"),
    ("%r = select %s, %a, %a : f32[2,3]", "pred must be i1"),
    ("%r = convert %a : i32[6]", "shape must stay"),
    ("%r = bitcast_convert %a : ui32[6]", "shape must stay"),
    ("%r = bitcast_convert %a : ui16[2,3]", "the result has the shape"),
    ("%r = bitcast_convert %a : ui64[2]", "the operand has the shape"),
    ("%r = words %a : ui32[2,3]", "one side must be a held type"),
    ("%r = words %a : bf16[3,2]", r"f32\[3,2\] are the words of bf16"),
    ("%r = words %n : i64[2,3]", r"ui32\[2,2,3\] are the words of i64"),
    ("%r = cholesky %a {lower=True} : f32[2,3]", "the matrix is"),
    ("%r = cholesky %h {lower=1} : f32[2,2]", "lower is 1"),
    (SOLVE.format("%h, %a", True, "f32[2,2]"), "is needed"),
    (SOLVE.format("%h, %b", True, "f32[3,2]"), "the sides 3 and 2 differ"),
    (SOLVE.format("%h, %a", False, "f32[2,3]"), "the sides 3 and 2 differ"),
    ("%r = reduce_precision %i {exponent_bits=5, mantissa_bits=2} : i32[]", "float is needed"),
    ("%r = reduce_precision %a {exponent_bits=0, mantissa_bits=2} : f32[2,3]", "be positive"),
    ("%r, %t = rng_bit_generator %w {algorithm='LCG'} : ui64[2], ui32[3]", "algorithm 'LCG'"),
    ("%r, %t = rng_bit_generator %a {algorithm='PHILOX'} : f32[2,3], ui32[3]", "the state is"),
    ("%r, %t = rng_bit_generator %w {algorithm='PHILOX'} : ui64[2], f32[3]", "the bits are"),
    ("%r = rng_bit_generator %w {algorithm='PHILOX'} : ui64[2]", "two results"),
    ("%r = iota {dim=2} : f32[2,3]", "dim 2"),
    ("%r = reshape %a : f32[5]", "number of elements"),
    ("%r = reshape %a : i32[6]", "element type"),
    ("%r = broadcast_in_dim %a {dims=(0,)} : f32[2,3]", "one entry per operand axis"),
    ("%r = broadcast_in_dim %a {dims=(0, 0)} : f32[2,3]", "names an axis twice"),
    ("%r = broadcast_in_dim %a {dims=(0, 1)} : f32[2,4]", "does not fit axis 1"),
    ("%r = transpose %a {permutation=(1, 0)} : f32[2,3]", "must be"),
    ("%r = transpose %a {permutation=(0,)} : f32[2]", "every axis"),
    ("%r = slice %a {limit=(2, 4), start=(0, 0), strides=(1, 1)} : f32[2,4]", "outside"),
    ("%r = strided %a {strides=(2,)} : f32[2,2]", "one stride per axis"),
    ("%r = strided %a {strides=(3, 1)} : f32[2,4]", "leave the operand"),
    ("%r = strided %a {strides=(-1, 1)} : f32[2,2]", "leave the operand"),
    ("%r = strided %a {strides=(3, 1)} : i32[2,3]", "element type"),
    ("%r = reverse %a {dims=(2,)} : f32[2,3]", "outside rank 2"),
    ("%r = dynamic_slice %a, %s, %i {sizes=(1, 3)} : f32[1,3]", "scalar integer"),
    ("%r = dynamic_slice %a, %i {sizes=(1, 3)} : f32[1,3]", "one start per axis"),
    ("%r = dynamic_update_slice %a, %b, %i, %i : f32[2,3]", "does not fit"),
    ("%r = concatenate %a, %b {dim=0} : f32[5,3]", "does not fit"),
    ("%r = reduce %a, %s {dims=(1, 0), reducer='add'} : f32[]", "sorted"),
    ("%r = reduce %a, %s {dims=(1,), reducer='xor'} : f32[2]", "unknown reducer"),
    ("%r = reduce %a, %i {dims=(1,), reducer='add'} : f32[2]", "init is"),
    (f"%r = dot_general %a, %a {DOT} : f32[2,3]", "contracted extents"),
    (f"%r = dot_general %a, %b {DOT.replace('DEFAULT', 'LOW')} : f32[2,2]", "precision"),
    (f"%r = dot_general %a, %b {DOT} : f32[2,3]", "must be"),
    ("%r, %q = negate %a : f32[2,3], f32[2,3]", "needs one result"),
]


@pytest.mark.parametrize("line", GOOD)
def test_good_ops_pass(line: str) -> None:
    verify(module(line))


@pytest.mark.parametrize(("line", "reason"), BAD)
def test_bad_ops_are_named_with_the_reason(line: str, reason: str) -> None:
    with pytest.raises(InternalError, match=reason) as error:
        verify(module(line.replace("LOC", LOC) if "LOC" in line else line + LOC))
    assert "%r" in str(error.value)
    assert "model.py:7" in str(error.value)


def loop(cond: str, body: str) -> str:
    return f"""%r = while %i {{trip_count=None}} : i32[] {{
      param %1 : i32[]
      %2 = compare %1, %1 {{direction='LT'}} : i1[]
      return {cond}
    }} {{
      param %3 : i32[]
      %4 = convert %3 : f32[]
      return {body}
    }}"""


def test_loops_keep_their_types() -> None:
    verify(module(loop("%2", "%3")))
    with pytest.raises(InternalError, match="cond must return one scalar i1"):
        verify(module(loop("%1", "%3")))
    with pytest.raises(InternalError, match="body returns differ"):
        verify(module(loop("%2", "%4")))


def test_a_region_may_not_read_values_from_outside() -> None:
    x, y = Value(TensorType((), "f32"), "x"), Value(TensorType((), "f32"), "y")
    inner = Op("negate", (x,), (y,))
    outer = Op("fusion", (), (Value(x.type, "z"),), {"space": ()}, (Region((), (inner,), (y,)),))
    with pytest.raises(InternalError, match="%x is not defined before it in its region"):
        verify(Module("m", Region((x,), (outer,), (outer.result,))))


def test_use_before_definition_and_twice_defined_values() -> None:
    x, y = Value(TensorType((), "f32"), "x"), Value(TensorType((), "f32"), "y")
    op = Op("negate", (y,), (y,))
    with pytest.raises(InternalError, match="%y is not defined before it"):
        verify(Module("m", Region((x,), (op,), (y,))))
    again = Op("negate", (x,), (x,))
    with pytest.raises(InternalError, match="%x, is defined twice"):
        verify(Module("m", Region((x,), (again,), (x,))))
    with pytest.raises(InternalError, match="returns %y"):
        verify(Module("m", Region((x,), (), (y,))))


def test_module_fields_must_fit() -> None:
    x, y = Value(TensorType((), "f32"), "x"), Value(TensorType((), "i32"), "y")
    body = Region((x, y), (), (x, y))
    verify(Module("m", body, {0: 0, 1: 1}, ("a", "b"), ("c", "d")))
    for bad in (
        Module("m", body, {0: 1}),
        Module("m", body, {0: 2}),
        Module("m", Region((x,), (), (x, x)), {0: 0, 1: 0}),
        Module("m", body, {}, ("a",)),
    ):
        with pytest.raises(InternalError, match="module m"):
            verify(bad)


def fusion(lines: str, types: str = "f32[2,3]") -> str:
    return f"""%r = fusion %a, %b {{space=(2, 3)}} : {types} {{
      param %p : f32[2,3]
      param %q : f32[3,2]
      %z = constant 0.0 : f32[]
      {lines}
    }}"""


TREE = "numerics=ReduceTree(block=256), reducer='add'"


def test_a_full_fusion_is_lowered() -> None:
    lines = f"%n = negate %p : f32[2,3]\n%t = reduce %n, %z {{dims=(1,), {TREE}}} : f32[2]"
    verify_lowered(module(fusion(lines + "\nreturn %t", "f32[2]")))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("%r = negate %a : f32[2,3]", "outside a fusion"),
        (fusion("%x = reshape %q : f32[2,3]\nreturn %x"), "may not stand in a fusion"),
        (fusion("%x = negate %q : f32[3,2]\nreturn %p"), "differs from the space"),
        (fusion("%k = constant [1.0, 2.0] : f32[2]\nreturn %p"), "one value everywhere"),
        (fusion(f"%t = reduce %q, %z {{dims=(1,), {TREE}}} : f32[3]\nreturn %p"), "another shape"),
        (
            fusion("%t = reduce %p, %z {dims=(1,), reducer='add'} : f32[2]\nreturn %p"),
            "numerics are not fixed",
        ),
        (
            fusion(
                f"%t = reduce %p, %z {{dims=(1,), {TREE}}} : f32[2]\n"
                f"%u = reduce %p, %z {{dims=(0,), {TREE}}} : f32[3]\nreturn %p"
            ),
            "over other axes",
        ),
        (
            fusion(
                f"%t = reduce %p, %z {{dims=(1,), {TREE}}} : f32[2]\n"
                "%n = negate %p : f32[2,3]\nreturn %n"
            ),
            "after a later part",
        ),
        (
            fusion(
                "%n = negate %z : f32[]\n%x = broadcast_in_dim %n {dims=()} : f32[2,3]\nreturn %x"
            ),
            "differs from the space",
        ),
        (
            fusion("%x = broadcast_in_dim %z {dims=()} : f32[2,3]\nreturn %x"),
            "reads only a parameter",
        ),
    ],
)
def test_what_is_no_fusion_is_named(text: str, reason: str) -> None:
    verify(module(text))
    with pytest.raises(InternalError, match=reason):
        verify_lowered(module(text))


def test_a_head_needs_numerics_and_parameters() -> None:
    text = f"""%r = fusion %a, %b {{space=(2, 2)}} : f32[2,2] {{
      param %p : f32[2,3]
      param %q : f32[3,2]
      %d = dot_general %p, %q {DOT} : f32[2,2]
      return %d
    }}"""
    with pytest.raises(InternalError, match="numerics are not fixed"):
        verify_lowered(module(text))
