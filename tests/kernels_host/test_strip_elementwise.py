"""Every elementwise primitive == the evaluator, on pairs of special words and random ones."""

from __future__ import annotations

import numpy as np
import pytest
from task_tools import expected, hostile, instr, of_type, pairs, run_strip, words

from spindle.ir.evaluate_elementwise import ELEMENTWISE
from spindle.spec.tables import PRIMITIVES

# primitive: (evaluator's kind, operand type, result type, attributes)
UNARY = {
    "NEG_F32": ("negate", "f32", "f32", {}),
    "ABS_F32": ("abs", "f32", "f32", {}),
    "SIGN_F32": ("sign", "f32", "f32", {}),
    "FLOOR_F32": ("floor", "f32", "f32", {}),
    "CEIL_F32": ("ceil", "f32", "f32", {}),
    "SQRT_F32": ("sqrt", "f32", "f32", {}),
    "RSQRT_F32": ("rsqrt", "f32", "f32", {}),
    "EXP_F32": ("exponential", "f32", "f32", {}),
    "EXPM1_F32": ("exponential_minus_one", "f32", "f32", {}),
    "LOG_F32": ("log", "f32", "f32", {}),
    "LOG1P_F32": ("log_plus_one", "f32", "f32", {}),
    "TANH_F32": ("tanh", "f32", "f32", {}),
    "LOGISTIC_F32": ("logistic", "f32", "f32", {}),
    "IS_FINITE_F32": ("is_finite", "f32", "i1", {}),
    "NOT_I32": ("not", "i32", "i32", {}),
    "ABS_S32": ("abs", "i32", "i32", {}),
    "NEG_I32": ("negate", "i32", "i32", {}),
    "SIGN_S32": ("sign", "i32", "i32", {}),
    "POPCNT_I32": ("popcnt", "ui32", "ui32", {}),
    "NOT_BOOL": ("not", "i1", "i1", {}),
    "F32_TO_S32": ("convert", "f32", "i32", {}),
    "F32_TO_U32": ("convert", "f32", "ui32", {}),
    "S32_TO_F32": ("convert", "i32", "f32", {}),
    "U32_TO_F32": ("convert", "ui32", "f32", {}),
    "F32_TO_BOOL": ("convert", "f32", "i1", {}),
    "I32_TO_BOOL": ("convert", "i32", "i1", {}),
    "COPY": ("bitcast_convert", "ui32", "ui32", {}),
}
BINARY = {
    "ADD_F32": ("add", "f32", "f32", {}),
    "SUB_F32": ("subtract", "f32", "f32", {}),
    "MUL_F32": ("multiply", "f32", "f32", {}),
    "DIV_F32": ("divide", "f32", "f32", {}),
    "MAX_F32": ("maximum", "f32", "f32", {}),
    "MIN_F32": ("minimum", "f32", "f32", {}),
    "POW_F32": ("power", "f32", "f32", {}),
    "EQ_F32": ("compare", "f32", "i1", {"direction": "EQ"}),
    "NE_F32": ("compare", "f32", "i1", {"direction": "NE"}),
    "LT_F32": ("compare", "f32", "i1", {"direction": "LT"}),
    "LE_F32": ("compare", "f32", "i1", {"direction": "LE"}),
    "ADD_I32": ("add", "i32", "i32", {}),
    "SUB_I32": ("subtract", "i32", "i32", {}),
    "MUL_I32": ("multiply", "i32", "i32", {}),
    "DIV_S32": ("divide", "i32", "i32", {}),
    "DIV_U32": ("divide", "ui32", "ui32", {}),
    "REM_S32": ("remainder", "i32", "i32", {}),
    "REM_U32": ("remainder", "ui32", "ui32", {}),
    "AND_I32": ("and", "i32", "i32", {}),
    "OR_I32": ("or", "i32", "i32", {}),
    "XOR_I32": ("xor", "i32", "i32", {}),
    "SHL_I32": ("shift_left", "i32", "i32", {}),
    "SHR_U32": ("shift_right_logical", "ui32", "ui32", {}),
    "SHR_S32": ("shift_right_arithmetic", "i32", "i32", {}),
    "MAX_S32": ("maximum", "i32", "i32", {}),
    "MIN_S32": ("minimum", "i32", "i32", {}),
    "MAX_U32": ("maximum", "ui32", "ui32", {}),
    "MIN_U32": ("minimum", "ui32", "ui32", {}),
    "EQ_I32": ("compare", "i32", "i1", {"direction": "EQ"}),
    "NE_I32": ("compare", "i32", "i1", {"direction": "NE"}),
    "LT_S32": ("compare", "i32", "i1", {"direction": "LT"}),
    "LE_S32": ("compare", "i32", "i1", {"direction": "LE"}),
    "LT_U32": ("compare", "ui32", "i1", {"direction": "LT"}),
    "LE_U32": ("compare", "ui32", "i1", {"direction": "LE"}),
}
ELSEWHERE = {"EXT", "SPLAT", "BCAST", "IOTA", "SELECT", "ADAM_F32"}


def test_every_primitive_is_tested():
    reduces = {p.name for p in PRIMITIVES if p.name.startswith("RED_")}
    assert {p.name for p in PRIMITIVES} == {*UNARY, *BINARY, *ELSEWHERE, *reduces}
    assert all(kind in ELEMENTWISE for kind, *_ in [*UNARY.values(), *BINARY.values()])


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    kind, source, target, attrs = UNARY[name]
    x = of_type(pairs(1)[0], source)
    (got,) = run_strip([instr(name, 1, 0)], [x], 1, (1, x.size))
    np.testing.assert_array_equal(got, expected(kind, [x], target, **attrs))


@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    kind, source, target, attrs = BINARY[name]
    a, b = (of_type(x, source) for x in pairs(2))
    (got,) = run_strip([instr(name, 2, 0, 1)], [a, b], 1, (1, a.size))
    np.testing.assert_array_equal(got, expected(kind, [a, b], target, **attrs))


@pytest.mark.parametrize("name", ["F32_TO_S32", "FLOOR_F32", "CEIL_F32", "F32_TO_U32"])
def test_rounding_near_every_power_of_two(name):
    exponents = np.arange(0, 0x7F8 << 20, 1 << 20, dtype=np.uint32)
    near = (exponents[:, None] + np.array([0, 1, 0xFFFFFFFF], np.uint32)).reshape(-1)
    x = np.concatenate([near, near | np.uint32(1 << 31)]).view(np.float32)
    kind, _, target, attrs = UNARY[name]
    (got,) = run_strip([instr(name, 1, 0)], [x], 1, (1, x.size))
    np.testing.assert_array_equal(got, expected(kind, [x], target, **attrs))


@pytest.mark.parametrize("columns", [1, 63, 64, 65, 127, 128, 129])
@pytest.mark.parametrize("prim", ["ADD_F32", "SELECT"])
def test_strips_at_their_limits(columns, prim):
    a, b = (hostile(3 * columns, seed).view(np.float32) for seed in (3, 4))
    pred = hostile(3 * columns, 5) & 1
    last = {"ADD_F32": instr(prim, 3, 0, 1), "SELECT": instr(prim, 3, 2, 0, imm=1)}[prim]
    (got,) = run_strip([last], [a, b, pred], 1, (3, columns))
    with np.errstate(all="ignore"):
        added = expected("add", [a, b], "f32")
    chosen = np.where(pred != 0, words(a), words(b))
    np.testing.assert_array_equal(got, added if prim == "ADD_F32" else chosen)


@pytest.mark.parametrize("tile", [(1, 7), (2, 64), (3, 70), (5, 130)])
def test_tiles_do_not_change_bits(tile):
    a, b = (hostile(5 * 130, seed).view(np.float32) for seed in (6, 7))
    program = [
        instr("MUL_F32", 16, 0, 1),
        instr("ADD_F32", 16, 16, 0),
        instr("MAX_F32", 2, 16, 1),
    ]
    (got,) = run_strip(program, [a, b], 1, (5, 130), tile)
    (whole,) = run_strip(program, [a, b], 1, (5, 130))
    np.testing.assert_array_equal(got, whole)


def test_destination_may_be_a_source():
    a, b = (x.view(np.float32) for x in pairs(8))
    program = [
        instr("COPY", 16, 0),
        instr("SUB_F32", 16, 16, 1),
        instr("ADD_F32", 16, 1, 16),
        instr("MUL_F32", 16, 16, 16),
        instr("COPY", 2, 16),
    ]
    (got,) = run_strip(program, [a, b], 1, (1, a.size))
    difference = expected("subtract", [a, b], "f32").view(np.float32)
    total = expected("add", [b, difference], "f32").view(np.float32)
    np.testing.assert_array_equal(got, expected("multiply", [total, total], "f32"))
