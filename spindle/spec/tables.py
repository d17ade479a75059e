"""Primitive and kernel tables: numbers, names, contracts and costs, once for compiler and firmware.

A cost is cycles per element in 1/16 cycle, in two frozen sets (spec/costs.py). All are counted on
the ARM build in the board's interpreter, from 16 elements to 64, on N(0,1) or small integers: "a"
our assembly, "c" our C. What a call costs beside its elements is in spec/costs.py. Reductions:
along columns. tests/firmware/test_cost_arm.py holds them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Primitive:
    """One strip primitive: `n_src` source registers, cycles per element, where that comes from."""

    name: str
    n_src: int
    cycles: float
    source: str


_ASM, _C = "a", "c"

PRIMITIVES: tuple[Primitive, ...] = (
    Primitive("EXT", 0, 0, "carries more registers or a second immediate of the one before"),
    Primitive("SPLAT", 0, 1.5, _ASM),
    Primitive("BCAST", 1, 1.5, "a: row's element of an operand not indexed by dim 2"),
    Primitive("COPY", 1, 2.5, _ASM),
    Primitive(
        "IOTA",
        0,
        27,
        "c: along dim 2; reg[1] dim, imm divisor, EXT imm modulus: (index / div) % mod",
    ),
    Primitive("ADD_F32", 2, 41.1, _ASM),
    Primitive("SUB_F32", 2, 41.1, _ASM),
    Primitive("MUL_F32", 2, 34, _ASM),
    Primitive("DIV_F32", 2, 71, _ASM),
    Primitive("MAX_F32", 2, 13.2, _ASM),
    Primitive("MIN_F32", 2, 13.2, _ASM),
    Primitive("NEG_F32", 1, 9, "c: eor sign"),
    Primitive("ABS_F32", 1, 9, "c: bic sign"),
    Primitive("SIGN_F32", 1, 31, _C),
    Primitive("FLOOR_F32", 1, 51.4, _C),
    Primitive("CEIL_F32", 1, 52.4, _C),
    Primitive("SQRT_F32", 1, 60, _ASM),
    Primitive("RSQRT_F32", 1, 194, _C),
    Primitive("EXP_F32", 1, 156.4, _C),
    Primitive("EXPM1_F32", 1, 246.7, _C),
    Primitive("LOG_F32", 1, 294.9, _C),
    Primitive("LOG1P_F32", 1, 387.2, _C),
    Primitive("TANH_F32", 1, 269.6, _C),
    Primitive("LOGISTIC_F32", 1, 278.3, _C),
    Primitive("POW_F32", 2, 487.8, _C),
    Primitive("IS_FINITE_F32", 1, 12, _C),
    Primitive("EQ_F32", 2, 11, _ASM),
    Primitive("NE_F32", 2, 11, _ASM),
    Primitive("LT_F32", 2, 17.2, "a: GT and GE swap the sources"),
    Primitive("LE_F32", 2, 17.2, _ASM),
    Primitive("ADD_I32", 2, 11, _C),
    Primitive("SUB_I32", 2, 11, _C),
    Primitive("MUL_I32", 2, 14, _C),
    Primitive("DIV_S32", 2, 122.1, "c: shift and subtract; quotients below 1000"),
    Primitive("DIV_U32", 2, 102.1, _C),
    Primitive("REM_S32", 2, 104.1, _C),
    Primitive("REM_U32", 2, 91.1, _C),
    Primitive("AND_I32", 2, 11, _C),
    Primitive("OR_I32", 2, 11, _C),
    Primitive("XOR_I32", 2, 11, _C),
    Primitive("NOT_I32", 1, 9, "c: all bits"),
    Primitive("SHL_I32", 2, 17, "c: 32 and more give 0"),
    Primitive("SHR_U32", 2, 17, "c: 32 and more give 0"),
    Primitive("SHR_S32", 2, 16, "c: 32 and more give the sign"),
    Primitive("MAX_S32", 2, 13.5, _C),
    Primitive("MIN_S32", 2, 13.5, _C),
    Primitive("MAX_U32", 2, 13.5, _C),
    Primitive("MIN_U32", 2, 13.5, _C),
    Primitive("ABS_S32", 1, 11, _C),
    Primitive("NEG_I32", 1, 9, _C),
    Primitive("SIGN_S32", 1, 20, _C),
    Primitive("POPCNT_I32", 1, 29, _C),
    Primitive("EQ_I32", 2, 13, _C),
    Primitive("NE_I32", 2, 13, _C),
    Primitive("LT_S32", 2, 15.5, _C),
    Primitive("LE_S32", 2, 15.5, _C),
    Primitive("LT_U32", 2, 15.5, _C),
    Primitive("LE_U32", 2, 15.5, _C),
    Primitive("NOT_BOOL", 1, 10, _C),
    Primitive("SELECT", 3, 8, "a: reg[1] predicate word, reg[2] if it is not 0, reg[3] if it is 0"),
    Primitive("F32_TO_S32", 1, 28, _C),
    Primitive("F32_TO_U32", 1, 46.6, _C),
    Primitive("S32_TO_F32", 1, 60, _C),
    Primitive("U32_TO_F32", 1, 32, "c: on predicates, an eighth 1; integers up to 1000 take 53"),
    Primitive("F32_TO_BOOL", 1, 11, _C),
    Primitive("I32_TO_BOOL", 1, 10, _C),
    Primitive("ADAM_F32", 10, 289.7, "a: on N(0,1); less where gradients are zero"),
    Primitive("RED_ADD_F32", 1, 40, "a: a quarter of zeros; N(0,1) takes 43, half zeros 37"),
    Primitive("RED_MUL_F32", 1, 30, _C),
    Primitive("RED_MAX_F32", 1, 34, _C),
    Primitive("RED_MIN_F32", 1, 34, _C),
    Primitive("RED_ADD_I32", 1, 10, _C),
    Primitive("RED_MUL_I32", 1, 13, _C),
    Primitive("RED_MAX_S32", 1, 11, _C),
    Primitive("RED_MIN_S32", 1, 11, _C),
    Primitive("RED_MAX_U32", 1, 11, _C),
    Primitive("RED_MIN_U32", 1, 11, _C),
    Primitive("RED_AND_I32", 1, 10, _C),
    Primitive("RED_OR_I32", 1, 10, _C),
)

PRIM: dict[str, int] = {primitive.name: i for i, primitive in enumerate(PRIMITIVES)}

ADAM_G_LAST = 1
"""ADAM_F32 imm bit: v' = b2*v + (c2*g)*g; clear: b2*v + c2*(g*g)."""


@dataclass(frozen=True)
class Group:
    """Kernels that share the overlay window of ITCM (docs/spec/run.md, Overlays).

    size_bytes: room of their code, which the linked size stays within; the timing model loads so
    many bytes.
    """

    name: str
    size_bytes: int
    kernels: str


RESIDENT = "RESIDENT"
"""The group that is always there."""

GROUPS: tuple[Group, ...] = (
    Group(RESIDENT, 0, "strip programs and moves: outside of the window"),
    Group("S28", 7040, "bfp28: scanning, balancing, quantising, dots"),
    Group("S16", 6720, "bfp16 and bfp13: quantising, dots"),
    Group("F32", 320, "dots whose every step is rounded"),
)

GROUP: dict[str, int] = {group.name: i for i, group in enumerate(GROUPS)}

KERNELS: tuple[tuple[str, str, str], ...] = (
    ("STRIP", RESIDENT, "strip program over dims 0..2"),
    ("COPY", RESIDENT, "operand 0 in, operand 1 out of the same DTCM buffer; no computing"),
    ("TRANSPOSE", RESIDENT, "operand 0 read with fast dim 1, operand 1 written with fast dim 2"),
    (
        "SCAN",
        "S28",
        "operand 0 X[d1, d3] with the whole of dim 3; out operand 1 partial a_k, one row a tile",
    ),
    ("SCAN_FREE", "S28", "operand 0 X[d1, d3], inner 3; out operand 1 r[d1]: largest exponent"),
    (
        "SCAN_K",
        "S28",
        "operand 0 X[d1, d3], operand 1 r[d1]; out operand 2 partial a_k, one row a tile",
    ),
    ("BALANCE", "S28", "operands 0, 1 partial a_k[d1, d3], b_k[d2, d3]; out operand 2 d_k[d3]"),
    (
        "QUANTISE",
        "S28",
        "operand 0 X[d1, d3], operand 1 d_k[d3]; out operand 2 panel, 3 exponents; 4 given",
    ),
    (
        "DOT_S28",
        "S28",
        "operands 0, 1 panels A[d1, d3], B[d2, d3], 2, 3 their exponents, 4, 5 lazy A, B,"
        " 6 internal C[d1, d2]; then a strip program over C",
    ),
    (
        "DOT_F32",
        "F32",
        "operands 0, 1 A[d1, d3], B[d2, d3], 2 internal C[d1, d2]; then a strip program",
    ),
    (
        "QUANTISE_13",
        "S16",
        "operand 0 X[d1, d3]; out operand 1 narrow panel, 2 exponents (or given)",
    ),
    ("QUANTISE_16", "S16", "operand 0 X[d1, d3]; out operand 1 panel, 2 exponents (or given)"),
    ("DOT_S13", "S16", "as DOT_S28, on 13-bit mantissas, both panels narrow"),
    ("DOT_S16", "S16", "as DOT_S28, on 16-bit mantissas, panel A wide, B narrow"),
)
"""Name, group, what it does."""

KERNEL: dict[str, int] = {name: i for i, (name, _, _) in enumerate(KERNELS)}

EMPTY_EXPONENT = -32768
"""Exponent of a row, column or block without a finite non-zero element."""

QUANTISE_GIVEN = 2
"""In a QUANTISE task's arg: exponent words of rows are given. QUANTISE copies them from operand 4
to operand 3; operand 2 of QUANTISE_13 and QUANTISE_16 is an input then."""

QUANTISE_WIDE = 1
"""In a QUANTISE_16 task's arg: the panel is wide, as A of DOT_S16 (docs/spec/dots16.md)."""

SCAN_WORDS = 1
"""In a SCAN_FREE task's arg: exponent words are written (NONFINITE_FLAG) in place of exponents."""

NONFINITE_FLAG = 0x10000
"""Set in an exponent word (low half: e as int16) when the block has an Inf or a NaN."""
