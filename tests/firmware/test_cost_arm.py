"""Cycle formulas of kernel_cost.c and strip_cost.c beside the ARM build, tile by tile.

A kernel runs alone in the board's interpreter, on N(0,1) or small integers; the formula is asked
for the same task's record. Tiles are narrow and wide, groups and pairs full or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import kernel_calls
import numpy as np
import pytest
from kernel_calls import operand

from spindle.kernels_host import TaskCost
from spindle.spec.records import PANEL_ROW_WORDS
from spindle.spec.tables import KERNEL, PRIM, PRIMITIVES, QUANTISE_GIVEN

TEMP, TEMPS_AT, STATE_AT = 16, 0, 512
"""The first temporary; words of the workspace."""


def gauss(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32).view(np.uint32)


@dataclass(frozen=True)
class Tile:
    """A task that is one tile, with its data."""

    kernel: str
    extent: tuple[int, int, int, int]
    operands: Sequence[bytes]
    data: Sequence[np.ndarray]
    instrs: Sequence[dict[str, Any]] = ()
    fields: dict[str, Any] = field(default_factory=dict)

    def counted_and_formula(self, arm: Any) -> tuple[int, int]:
        task = {"kernel": KERNEL[self.kernel], "extent": self.extent, **self.fields}
        call = kernel_calls.kernel(arm, task, self.operands, self.data, 0, self.instrs)
        text = kernel_calls.task_record(task, self.operands, self.instrs)
        return call.cycles(), TaskCost(text).cycles(self.extent, last_inner=True)


def instr(prim: str, *reg: int, imm: int = 0) -> dict[str, Any]:
    return {"prim": PRIM[prim], "reg": reg, "imm": imm}


def dense(rows: int, columns: int) -> bytes:
    """An operand [rows][columns]; rows = 0: one row for all, columns = 0: one word a row."""
    stride = (0, 4 * max(columns, 1) if rows else 0, 4 if columns else 0, 0)
    fast = 2 if columns else 1 if rows else 255
    return operand(fast, (), stride=stride)


def strip(
    rows: int,
    columns: int,
    *instrs: dict[str, Any],
    shapes: Sequence[tuple[int, int]] = (),
    **fields: Any,
) -> Tile:
    """Operand 0 [rows][columns], then those of `shapes`."""
    sizes = [(rows, columns), *shapes]
    data = [gauss(max(r, 1) * max(c, 1), i) for i, (r, c) in enumerate(sizes)]
    operands = [dense(r, c) for r, c in sizes]
    fields = {"n_temps": 4, "temps": TEMPS_AT, **fields}
    return Tile("STRIP", (1, rows, columns, 1), operands, data, instrs, fields)


def reduction(rows: int, columns: int, prim: str, axis: int, *before: dict[str, Any]) -> Tile:
    shape = {1: (0, columns), 2: (rows, 0), 3: (0, 0)}[axis]
    red = instr(prim, 1, 0, axis), instr("EXT", 1, imm=STATE_AT)
    return strip(rows, columns, *before, *red, shapes=[shape])


IOTA = (instr("IOTA", TEMP, 2, imm=1), instr("EXT", imm=10))
ROW_IOTA = (instr("IOTA", TEMP, 1, imm=1), instr("EXT", imm=1 << 20))
ADD, MUL = instr("ADD_F32", TEMP, 0, 0), instr("MUL_F32", TEMP + 1, TEMP, TEMP)
LABELS = (
    *IOTA,
    instr("BCAST", TEMP + 1, 1),
    instr("EQ_I32", TEMP, TEMP, TEMP + 1),
    instr("SELECT", TEMP, TEMP, 0, imm=2),
)

STRIPS = {
    "one strip": strip(1, 64, ADD, MUL),
    "one element": strip(1, 1, ADD, MUL),
    "ten strips": strip(1, 640, ADD, MUL),
    "n - 1": strip(1, 63, ADD),
    "n + 1": strip(1, 65, ADD),
    "rows apart": strip(11, 10, ADD, instr("BCAST", TEMP, 1), shapes=[(11, 0)]),
    "rows joined": strip(11, 10, ADD, MUL, shapes=[(11, 10)]),
    "row repeated": strip(11, 10, instr("ADD_F32", TEMP, 0, 1), shapes=[(0, 10)]),
    "four operands": strip(8, 10, ADD, shapes=[(8, 10), (8, 10), (8, 0)]),
    "nothing but rows": strip(16, 100, shapes=[(16, 0)]),
    "prologue": strip(1, 64, instr("SPLAT", TEMP), instr("SPLAT", TEMP), ADD, n_prologue=2),
    "iota": strip(8, 10, *IOTA),
    "iota of rows": strip(8, 64, *ROW_IOTA),
    "labels": strip(8, 10, *LABELS, shapes=[(8, 0), (8, 10)]),
    "sum of rows": reduction(8, 10, "RED_ADD_F32", 2),
    "sum of long rows": reduction(4, 200, "RED_ADD_F32", 2),
    "sum of columns": reduction(32, 10, "RED_ADD_F32", 1),
    "sum of columns behind a sum": reduction(16, 64, "RED_ADD_F32", 1, ADD),
    "sum of all": reduction(8, 100, "RED_ADD_F32", 3),
    "maximum of rows": reduction(8, 10, "RED_MAX_F32", 2),
    "maximum of columns": reduction(32, 10, "RED_MAX_F32", 1),
    "integers": reduction(4, 64, "RED_ADD_I32", 2, instr("ADD_I32", TEMP, 0, 0)),
}


def matrix(n_f: int, n_k: int, across: bool) -> bytes:
    """X[f][k], or X[k][f] where across."""
    stride = (0, 4, 0, 4 * n_f) if across else (0, 4 * n_k, 0, 4)
    return operand(1 if across else 3, (), stride=stride)


def scan(kernel: str, n_f: int, n_k: int, *, across: bool = False) -> Tile:
    row, column = operand(1, (1,)), operand(3, (3,))
    outs = {"SCAN": [column], "SCAN_FREE": [row], "SCAN_K": [row, column]}[kernel]
    operands = [matrix(n_f, n_k, across), *outs]
    data = [gauss(n_f * n_k), *(np.ones(max(n_f, n_k), np.int32) for _ in outs)]
    inner = {"inner": 3} if kernel == "SCAN_FREE" else {}
    return Tile(kernel, (1, n_f, 1, n_k), operands, data, (), {"k_block": 512, **inner})


def quantise(n_f: int, n_k: int, *, across: bool = False, given: bool = False) -> Tile:
    unit = {"unit_words": PANEL_ROW_WORDS, "align_words": 2 * PANEL_ROW_WORDS}
    operands = [
        matrix(n_f, n_k, across),
        operand(3, (3,)),
        operand(3, (1, 3), granule1=2, unit_words=2, align_words=16),
        operand(1, (1, 3), granule3=n_k, **unit),
    ]
    panel, rows = -(-n_f // 2) * 16 * -(-n_k // 8), (n_f + 1) * PANEL_ROW_WORDS
    d = np.random.default_rng(n_k).integers(-2, 3, n_k).astype(np.int32)
    data = [gauss(n_f * n_k), d, np.zeros(panel, np.int32), np.zeros(rows, np.int32)]
    if given:
        operands, data = [*operands, operand(1, (1,))], [*data, np.full(n_f, 4, np.int32)]
    fields = {"k_block": n_k, "arg": QUANTISE_GIVEN if given else 0}
    return Tile("QUANTISE", (1, n_f, 1, n_k), operands, data, (), fields)


def balance(a_rows: int, b_rows: int, n_k: int) -> Tile:
    rng = np.random.default_rng(n_k)
    sizes = (a_rows, b_rows, 1)
    data = [rng.integers(-5, 1, rows * n_k).astype(np.int32) for rows in sizes]
    strides = ((0, 4 * n_k, 0, 4), (0, 0, 4 * n_k, 4), (0, 0, 0, 4))
    operands = [operand(3, (), stride=stride) for stride in strides]
    return Tile("BALANCE", (1, a_rows, b_rows, n_k), operands, data)


def transpose(rows: int, columns: int) -> Tile:
    operands = [operand(1, (1, 2)), operand(2, (1, 2))]
    data = [gauss(rows * columns), gauss(rows * columns)]
    return Tile("TRANSPOSE", (1, rows, columns, 1), operands, data)


def dot_s28(m: int, n: int, k: int) -> Tile:
    rng = np.random.default_rng(k)
    unit = {"unit_words": PANEL_ROW_WORDS, "align_words": 2 * PANEL_ROW_WORDS, "granule3": k}
    panels = [operand(3, (d, 3), granule1=2, unit_words=2, align_words=16) for d in (1, 2)]
    operands = [*panels, *(operand(d, (d, 3), **unit) for d in (1, 2))]
    operands += [*(operand(3, (d, 3)) for d in (1, 2)), operand(2, (1, 2))]
    sizes = [-(-side // 2) * 16 * -(-k // 8) for side in (m, n)]
    data = [rng.integers(-(1 << 26), 1 << 26, size).astype(np.int32) for size in sizes]
    for side in (m, n):
        rows = rng.integers(0, 1000, (side + 1, PANEL_ROW_WORDS)).astype(np.uint32)
        rows[:, 0] = rng.integers(-3, 3, side + 1).astype(np.int64) & 0xFFFF
        data.append(rows)
    data += [np.zeros(1, np.uint32), np.zeros(1, np.uint32), gauss(m * n)]
    return Tile("DOT_S28", (1, m, n, k), operands, data, (), {"k_block": k, "inner": 3})


def dot_f32(m: int, n: int, k: int) -> Tile:
    operands = [operand(3, (1, 3)), operand(3, (2, 3)), operand(2, (1, 2))]
    data = [gauss(m * k), gauss(n * k, 1), gauss(m * n)]
    return Tile("DOT_F32", (1, m, n, k), operands, data, (), {"inner": 3})


MATRICES = {
    "scan": scan("SCAN", 12, 64),
    "scan of columns": scan("SCAN", 12, 64, across=True),
    "scan, groups not full": scan("SCAN", 13, 65),
    "scan, five rows": scan("SCAN", 5, 64),
    "scan, one row": scan("SCAN", 1, 64),
    "scan, five k": scan("SCAN", 64, 5),
    "scan_free": scan("SCAN_FREE", 13, 100),
    "scan_free, five rows": scan("SCAN_FREE", 5, 100),
    "scan_k": scan("SCAN_K", 13, 100),
    "balance": balance(5, 11, 64),
    "balance, few": balance(1, 1, 8),
    "quantise": quantise(12, 64),
    "quantise of columns": quantise(12, 64, across=True),
    "quantise, short chunk": quantise(12, 10),
    "quantise, odd k": quantise(12, 63),
    "quantise, odd rows": quantise(11, 64),
    "quantise, one row": quantise(1, 128),
    "quantise, given": quantise(12, 64, given=True),
    "quantise, given, odd rows": quantise(11, 64, given=True),
    "transpose": transpose(16, 20),
    "transpose, one": transpose(1, 1),
    "dot_s28": dot_s28(16, 16, 64),
    "dot_s28, narrow": dot_s28(4, 10, 32),
    "dot_s28, odd": dot_s28(7, 9, 24),
    "dot_s28, short chunk": dot_s28(8, 16, 10),
    "dot_s28, one": dot_s28(1, 1, 8),
    "dot_f32": dot_f32(8, 16, 24),
    "dot_f32, one column": dot_f32(8, 1, 24),
}
ELSEWHERE = ("EXT", "IOTA", "ADAM_F32")
"""Primitives that other tests count."""


@pytest.mark.parametrize("name", [*STRIPS, *MATRICES])
def test_a_tile(arm_timed, name):
    counted, formula = {**STRIPS, **MATRICES}[name].counted_and_formula(arm_timed)
    print(f"\n{name}: counted {counted}, formula {formula}, {100 * (formula / counted - 1):+.1f} %")
    assert abs(formula - counted) <= max(0.06 * counted, 60)


def source(name: str, i: int) -> np.ndarray:
    """64 elements of source i of a primitive: small integers, predicates, or N(0,1)."""
    rng = np.random.default_rng(i)
    if name in ("NOT_BOOL", "I32_TO_BOOL") or (name == "SELECT" and i == 0):
        return rng.integers(0, 2, 64).astype(np.uint32)
    if "F32" not in name or name.endswith("TO_F32"):
        return rng.integers(1, 30 if i else 1000, 64).astype(np.uint32)
    positive = name in ("SQRT_F32", "RSQRT_F32", "LOG_F32", "LOG1P_F32", "POW_F32") and i == 0
    return gauss(64, i) & np.uint32(0x7FFFFFFF if positive else 0xFFFFFFFF)


@pytest.mark.parametrize(
    "primitive", [p for p in PRIMITIVES if p.name not in ELSEWHERE and p.name[:3] != "RED"]
)
def test_a_primitive(arm_timed, primitive):
    """What 48 elements more cost."""
    sources = [source(primitive.name, i) for i in range(primitive.n_src)]
    many, few = (
        kernel_calls.prim(
            arm_timed, f"prim_{primitive.name.lower()}", [s[:n] for s in sources], n=n
        ).cycles()
        for n in (64, 16)
    )
    each = (many - few) / 48
    print(f"\n{primitive.name}: counted {each:.1f}, table {primitive.cycles}")
    assert abs(primitive.cycles - each) <= 0.05 * each
