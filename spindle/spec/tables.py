"""Primitive and kernel tables: numbers, names, contracts and costs, once for compiler and firmware.

A cost is cycles per element in 1/16 cycle, in two frozen sets (spec/costs.py). Sources: "k4" is
reference sheet kernels.md section 4 and so on; "a" our assembly on the same cycle model
(docs/kernels.md), "n" our C on it, without interlocks, plus 4 for load and store; "m" a model of
ours (counted instructions of the intended loop, not yet run).
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


_ASM, _C = "a", "n"

PRIMITIVES: tuple[Primitive, ...] = (
    Primitive("EXT", 0, 0, "carries more registers or a second immediate of the one before"),
    Primitive("SPLAT", 0, 1.94, _ASM),
    Primitive("BCAST", 1, 1.94, "a: row's element of an operand not indexed by dim 2"),
    Primitive("COPY", 1, 2.94, _ASM),
    Primitive("IOTA", 0, 3, "m: reg[1] dim, imm divisor, EXT imm modulus: (index / div) % mod"),
    Primitive("ADD_F32", 2, 41.0, _ASM),
    Primitive("SUB_F32", 2, 41.5, _ASM),
    Primitive("MUL_F32", 2, 34.4, _ASM),
    Primitive("DIV_F32", 2, 67.5, _ASM),
    Primitive("MAX_F32", 2, 13.6, _ASM),
    Primitive("MIN_F32", 2, 13.6, _ASM),
    Primitive("NEG_F32", 1, 3.1, "m: eor sign"),
    Primitive("ABS_F32", 1, 3.1, "m: bic sign"),
    Primitive("SIGN_F32", 1, 8, "m"),
    Primitive("FLOOR_F32", 1, 16, "m"),
    Primitive("CEIL_F32", 1, 16, "m"),
    Primitive("SQRT_F32", 1, 53, "a: sf_sqrt 47 + 3 call + 3 load/store"),
    Primitive("RSQRT_F32", 1, 112, _C),
    Primitive("EXP_F32", 1, 111, _C),
    Primitive("EXPM1_F32", 1, 139, _C),
    Primitive("LOG_F32", 1, 168, _C),
    Primitive("LOG1P_F32", 1, 201, _C),
    Primitive("TANH_F32", 1, 169, _C),
    Primitive("LOGISTIC_F32", 1, 174, _C),
    Primitive("POW_F32", 2, 315, _C),
    Primitive("IS_FINITE_F32", 1, 5, "m"),
    Primitive("EQ_F32", 2, 11.5, _ASM),
    Primitive("NE_F32", 2, 11.5, _ASM),
    Primitive("LT_F32", 2, 17.7, "a: GT and GE swap the sources"),
    Primitive("LE_F32", 2, 17.7, _ASM),
    Primitive("ADD_I32", 2, 4.1, "k5 bias add"),
    Primitive("SUB_I32", 2, 4.1, "k5"),
    Primitive("MUL_I32", 2, 5.1, "m"),
    Primitive("DIV_S32", 2, 80, "m: shift and subtract"),
    Primitive("DIV_U32", 2, 75, "m"),
    Primitive("REM_S32", 2, 82, "m"),
    Primitive("REM_U32", 2, 77, "m"),
    Primitive("AND_I32", 2, 4.1, "m"),
    Primitive("OR_I32", 2, 4.1, "m"),
    Primitive("XOR_I32", 2, 4.1, "m"),
    Primitive("NOT_I32", 1, 3.1, "m: all bits"),
    Primitive("SHL_I32", 2, 6, "m: 32 and more give 0"),
    Primitive("SHR_U32", 2, 6, "m: 32 and more give 0"),
    Primitive("SHR_S32", 2, 6, "m: 32 and more give the sign"),
    Primitive("MAX_S32", 2, 5.1, "m"),
    Primitive("MIN_S32", 2, 5.1, "m"),
    Primitive("MAX_U32", 2, 5.1, "m"),
    Primitive("MIN_U32", 2, 5.1, "m"),
    Primitive("ABS_S32", 1, 4.1, "m"),
    Primitive("NEG_I32", 1, 3.1, "m"),
    Primitive("SIGN_S32", 1, 5, "m"),
    Primitive("POPCNT_I32", 1, 14, "m"),
    Primitive("EQ_I32", 2, 5.1, "m"),
    Primitive("NE_I32", 2, 5.1, "m"),
    Primitive("LT_S32", 2, 5.1, "m"),
    Primitive("LE_S32", 2, 5.1, "m"),
    Primitive("LT_U32", 2, 5.1, "m"),
    Primitive("LE_U32", 2, 5.1, "m"),
    Primitive("NOT_BOOL", 1, 3.1, "m"),
    Primitive(
        "SELECT", 3, 8.5, "a: reg[1] predicate word, reg[2] if it is not 0, reg[3] if it is 0"
    ),
    Primitive("F32_TO_S32", 1, 18, "k4 + clamp"),
    Primitive("F32_TO_U32", 1, 18, "k4 + clamp"),
    Primitive("S32_TO_F32", 1, 42, "k4"),
    Primitive("U32_TO_F32", 1, 42, "k4"),
    Primitive("F32_TO_BOOL", 1, 5, "m"),
    Primitive("I32_TO_BOOL", 1, 4, "m"),
    Primitive("ADAM_F32", 10, 289.7, "a: on N(0,1); less where gradients are zero"),
    Primitive("RED_ADD_F32", 1, 41.2, "a: rows; columns take 40.5"),
    Primitive("RED_MUL_F32", 1, 37, "k4 mul + 3 call + 2 load"),
    Primitive("RED_MAX_F32", 1, 9, "m"),
    Primitive("RED_MIN_F32", 1, 9, "m"),
    Primitive("RED_ADD_I32", 1, 3, "m"),
    Primitive("RED_MUL_I32", 1, 4, "m"),
    Primitive("RED_MAX_S32", 1, 4, "m"),
    Primitive("RED_MIN_S32", 1, 4, "m"),
    Primitive("RED_MAX_U32", 1, 4, "m"),
    Primitive("RED_MIN_U32", 1, 4, "m"),
    Primitive("RED_AND_I32", 1, 3, "m"),
    Primitive("RED_OR_I32", 1, 3, "m"),
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
        "operand 0 X[d1, d3]; out operand 1 narrow panel, 2 exponents; 3 given",
    ),
    ("QUANTISE_16", "S16", "operand 0 X[d1, d3]; out operand 1 panel, 2 exponents; 3 given"),
    ("DOT_S13", "S16", "as DOT_S28, on 13-bit mantissas, both panels narrow"),
    ("DOT_S16", "S16", "as DOT_S28, on 16-bit mantissas, panel A wide, B narrow"),
)
"""Name, group, what it does."""

KERNEL: dict[str, int] = {name: i for i, (name, _, _) in enumerate(KERNELS)}

EMPTY_EXPONENT = -32768
"""Exponent of a row, column or block without a finite non-zero element."""

QUANTISE_GIVEN = 2
"""In a QUANTISE task's arg: its last operand gives the rows' exponent words, which it copies."""

QUANTISE_WIDE = 1
"""In a QUANTISE_16 task's arg: the panel is wide, as A of DOT_S16 (docs/spec/dots16.md)."""

SCAN_WORDS = 1
"""In a SCAN_FREE task's arg: exponent words are written (NONFINITE_FLAG) in place of exponents."""

NONFINITE_FLAG = 0x10000
"""Set in an exponent word (low half: e as int16) when the block has an Inf or a NaN."""
