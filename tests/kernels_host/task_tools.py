"""Helpers of the kernel tests: operands, strip programs, hostile words, the evaluator's answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spindle.ir.evaluate_elementwise import ELEMENTWISE
from spindle.ir.graph import DTYPES, Op, TensorType, Value
from spindle.kernels_host.harness import run_task
from spindle.spec.records import FLAGS, NO_DIM
from spindle.spec.tables import KERNEL, PRIM

STORE, LAZY, INTERNAL = (FLAGS["OPERAND"][name] for name in ("STORE", "LAZY", "INTERNAL"))
TEMP = 16

_SPECIAL = [
    0x00000000,
    0x80000000,
    0x00000001,
    0x80000001,
    0x007FFFFF,
    0x807FFFFF,
    0x00800000,
    0x80800000,
    0x7F7FFFFF,
    0xFF7FFFFF,
    0x7F800000,
    0xFF800000,
    0x7FC00000,
    0xFFC00001,
    0x7F800001,
    0xFFFFFFFF,
    0x3F800000,
    0xBF800000,
    0x3F7FFFFF,
    0x3F000000,
    0xBF000000,
    0x40200000,
    0xC0200000,
    0x4B000000,
    0x4AFFFFFF,
    0x4B800001,
    0x4EFFFFFF,
    0x4F000000,
    0xCF000000,
    0xCF000001,
    0x4F7FFFFF,
    0x4F800000,
    0x7FFFFFFF,
    0x0000001F,
    0x00000020,
    0x00000021,
]


def instr(prim: str, *reg: int, imm: int = 0) -> dict[str, Any]:
    """One strip instruction."""
    return {"prim": PRIM[prim], "reg": reg, "imm": imm & 0xFFFFFFFF}


def operand(stride: Sequence[int], fast: int | None, flags: int = 0, **fields: Any) -> Any:
    """An operand record; stride in words here."""
    return {
        "stride": tuple(4 * s for s in stride),
        "fast": NO_DIM if fast is None else fast,
        "flags": flags,
        "granule1": 1,
        "granule3": 1,
        "unit_words": 1,
        "align_words": 1,
        **fields,
    }


def task(kernel: str, extent: Sequence[int], tile: Sequence[int], **fields: Any) -> dict[str, Any]:
    """A task record without the counts that the harness fills in."""
    given = {"inner": NO_DIM, **fields}
    return {"kernel": KERNEL[kernel], "extent": tuple(extent), "tile": tuple(tile), **given}


def words(x: np.ndarray) -> np.ndarray:
    """Flat 32-bit words of an array; i1 becomes 0 or 1."""
    flat = np.ascontiguousarray(x).reshape(-1)
    return flat.astype(np.uint32) if flat.dtype == np.bool_ else flat.view(np.uint32).copy()


def hostile(n: int, seed: int = 0) -> np.ndarray:
    """n words: special floats and integers, random bits, ordinary floats."""
    rng = np.random.default_rng(seed)
    special = rng.choice(np.array(_SPECIAL, np.uint32), n)
    any_bits = rng.integers(0, 1 << 32, n, np.uint32)
    ordinary = (rng.standard_normal(n) * 8).astype(np.float32).view(np.uint32)
    small = rng.integers(-40, 40, n, np.int32).view(np.uint32)
    return np.choose(rng.integers(0, 4, n), [special, any_bits, ordinary, small])


def pairs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of special words, then hostile ones."""
    special = np.array(_SPECIAL, np.uint32)
    a, b = (x.reshape(-1) for x in np.meshgrid(special, special))
    return (
        np.concatenate([a, hostile(5000, seed)]),
        np.concatenate([b, hostile(5000, seed + 1)]),
    )


def of_type(bits: np.ndarray, dtype: str) -> np.ndarray:
    """Words seen as a Module type; for i1 the lowest bit."""
    return (bits & 1).astype(np.bool_) if dtype == "i1" else bits.view(DTYPES[dtype])


def expected(kind: str, inputs: Sequence[np.ndarray], dtype: str, **attrs: Any) -> np.ndarray:
    """The evaluator's words for one elementwise op."""
    result = Value(TensorType(inputs[0].shape, dtype))
    with np.errstate(all="ignore"):
        return words(ELEMENTWISE[kind](Op(kind, (), (result,), attrs), *inputs))


def run_strip(
    program: Sequence[dict[str, Any]],
    inputs: Sequence[np.ndarray],
    n_out: int,
    shape: tuple[int, int],
    tile: tuple[int, int] | None = None,
    **fields: Any,
) -> list[np.ndarray]:
    """Run a program over [rows, columns]: inputs are registers 0.., outputs come after them."""
    rows, columns = shape
    arrays = [words(x) for x in inputs]
    arrays += [np.full(rows * columns, 0xDEAD, np.uint32) for _ in range(n_out)]
    flags = [0] * len(inputs) + [STORE] * n_out
    operands = [operand((0, columns, 1, 0), 2, flag) for flag in flags]
    record = task(
        "STRIP", (1, rows, columns, 1), (1, *(tile or shape), 1), n_temps=8, temps=0, **fields
    )
    run_task(record, operands, program, arrays)
    return arrays[len(inputs) :]
