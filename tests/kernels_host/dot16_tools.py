"""Helpers of the tests of 13- and 16-bit dots: quantise, multiply as tasks on flat arrays, and what
docs/spec/dots16.md says they give.

Shapes: A [M, K], B [N, K] float32. A matrix is stored as [f][k], or with `across` as [k][f].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dot_tools import matrix_operand, stored
from task_tools import INTERNAL, LAZY, STORE, instr, operand, task

from spindle.ir.evaluate_nonfinite import replace_nonfinite
from spindle.kernels_host.harness import run_task
from spindle.spec.tables import (
    EMPTY_EXPONENT,
    NONFINITE_FLAG,
    QUANTISE_GIVEN,
    QUANTISE_WIDE,
    SCAN_WORDS,
)


@dataclass(frozen=True)
class Mode:
    """places: of a mantissa behind the leading one; shift: places that a product loses."""

    bits: int
    places: int
    shift: int

    @property
    def largest(self) -> int:
        return (2 << self.places) - 1


S13, S16 = Mode(13, 11, 0), Mode(16, 14, 7)


@dataclass
class Panel:
    """Quantised operand in memory; e: [rows] exponent words."""

    words: np.ndarray
    e: np.ndarray
    free: int
    n_k: int
    wide: bool = False

    @property
    def chunks(self) -> int:
        return -(-self.n_k // 8)

    def operands(self, dim: int, flags: int = 0) -> tuple:
        unit = 24 if self.wide else 12
        stride = [0, 0, 0, unit]
        stride[dim] = self.chunks * unit
        shape = {"granule1": 3, "granule3": 8, "unit_words": unit, "align_words": unit // 3}
        panel = operand(stride, None, flags, **shape)
        stride = [0, 0, 0, 0]
        stride[dim] = 1
        return panel, operand(stride, dim, flags)

    def mantissas(self) -> np.ndarray:
        """q [free, K] without padding; the padding must be 0."""
        if self.wide:
            q = (self.words.view(np.int32) >> 9).reshape(-1, self.chunks * 8, 3)
            full = q.transpose(0, 2, 1).reshape(-1, self.chunks * 8)
        else:
            halves = self.words.view(np.int16).reshape(-1, self.chunks * 4, 6)
            places = np.array([[0, 4], [1, 5], [2, 3]])
            full = halves[:, :, places].transpose(0, 2, 1, 3).reshape(-1, self.chunks * 8)
        assert not full[self.free :].any() and not full[:, self.n_k :].any()
        return full[: self.free, : self.n_k].astype(np.int64)


def panel_of(q: np.ndarray, e: np.ndarray, wide: bool = False) -> Panel:
    """A panel of these mantissas [F, K] and exponent words."""
    free, n_k = q.shape
    full = np.zeros((-(-free // 3) * 3, -(-n_k // 8) * 8), np.int32)
    full[:free, :n_k] = q
    rows = full.reshape(-1, 3, full.shape[1])
    if wide:
        words = (rows.transpose(0, 2, 1) << 9).astype(np.int32)
    else:
        pairs = rows.reshape(len(rows), 3, -1, 2).astype(np.int16)
        order = [(0, 0), (1, 0), (2, 0), (2, 1), (0, 1), (1, 1)]
        words = np.stack([pairs[:, r, :, k] for r, k in order], axis=2)
    flat = np.ascontiguousarray(words).reshape(-1).view(np.uint32)
    return Panel(flat, e.astype(np.uint32), free, n_k, wide)


def quantise(
    x: np.ndarray,
    mode: Mode,
    *,
    wide: bool = False,
    across: bool = False,
    tile_f: int = 6,
    tile_k: int | None = None,
    given: np.ndarray | None = None,
    plain: bool = False,
) -> Panel:
    """Quantise x [F, K]. given: one exponent word a row; only then may k be cut by tile_k."""
    n_f, n_k = x.shape
    words = np.full(-(-n_f // 3) * -(-n_k // 8) * (24 if wide else 12), 0xDEAD, np.uint32)
    panel = Panel(words, np.full(-(-n_f // 3) * 3, 0xDEAD, np.uint32), n_f, n_k, wide)
    out, words_operand = panel.operands(1, STORE)
    arg = QUANTISE_WIDE if wide else 0
    if given is not None:
        arg |= QUANTISE_GIVEN
        panel.e, words_operand["flags"] = given.copy(), 0
    operands = [matrix_operand(x, 1, across), out, words_operand]
    data = [stored(x, across), panel.words, panel.e]
    tile = (1, tile_f, 1, tile_k or n_k)
    record = task(f"QUANTISE_{mode.bits}", (1, n_f, 1, n_k), tile, arg=arg)
    run_task(record, operands, [], data, plain=plain)
    return panel


def scan_words(x: np.ndarray, across: bool, tile_f: int, tile_k: int) -> np.ndarray:
    """Exponent words of rows by SCAN_FREE."""
    words = np.full(len(x), 0xDEAD, np.uint32)
    operands = [matrix_operand(x, 1, across), operand((0, 1, 0, 0), 1, STORE)]
    tile = (1, tile_f, 1, tile_k)
    record = task("SCAN_FREE", (1, len(x), 1, x.shape[1]), tile, inner=3, arg=SCAN_WORDS)
    run_task(record, operands, [], [stored(x, across), words])
    return words


def multiply(
    a: Panel,
    b: Panel,
    mode: Mode,
    lazy: tuple[np.ndarray, np.ndarray],
    tile: tuple[int, int, int],
    *,
    plain: bool = False,
) -> tuple[np.ndarray, int]:
    """C [M, N] as float32 bits, by the epilogue "copy C out", and the number of rescued outputs."""
    m, n = a.free, b.free
    operands = [*zip(a.operands(1), b.operands(2), strict=True)]
    lhs = matrix_operand(lazy[0], 1, False, LAZY)
    rhs = matrix_operand(lazy[1], 2, False, LAZY)
    c, out = operand((0, n, 1, 0), 2, INTERNAL), operand((0, n, 1, 0), 2, STORE)
    result = np.zeros(m * n, np.uint32)
    record = task(f"DOT_S{mode.bits}", (1, m, n, a.n_k), (1, *tile), inner=3, n_temps=0)
    arrays = [a.words, b.words, a.e, b.e, lazy[0][None], lazy[1][None], None, result]
    records = [*operands[0], *operands[1], lhs, rhs, c, out]
    decided = run_task(record, records, [instr("COPY", 7, 6)], arrays, plain=plain)
    return result.reshape(m, n), decided


def dot(
    a: np.ndarray, b: np.ndarray, mode: Mode, tile: tuple[int, int, int], *, plain: bool = False
) -> tuple[np.ndarray, int]:
    """The whole chain for a [M, K], b [N, K]: bits of C and rescued outputs."""
    qa = quantise(a, mode, wide=mode is S16, plain=plain)
    qb = quantise(b, mode, across=True, plain=plain)
    return multiply(qa, qb, mode, (a, b), tile, plain=plain)


def exponent_words(x: np.ndarray) -> np.ndarray:
    """What docs/spec/dots16.md 1 says of the exponents of rows."""
    counts = np.isfinite(x) & (x != 0)
    e = np.where(counts, np.frexp(np.where(counts, x, 1))[1] - 1, EMPTY_EXPONENT)
    words = (e.max(axis=1).astype(np.int64) & 0xFFFF).astype(np.uint32)
    return words | np.where(np.isfinite(x).all(axis=1), 0, NONFINITE_FLAG).astype(np.uint32)


def exponents(words: np.ndarray) -> np.ndarray:
    return words.astype(np.uint16).view(np.int16).astype(np.int64)


def mantissas(x: np.ndarray, words: np.ndarray, mode: Mode) -> np.ndarray:
    """And of the mantissas, in float64, which holds every one of them with its halves."""
    e = exponents(words)
    places = np.where(e == EMPTY_EXPONENT, 0, mode.places - e)
    finite = np.where(np.isfinite(x), x, 0).astype(np.float64)
    q = np.rint(np.ldexp(finite, places[:, None].astype(np.int32)))
    return np.clip(q, -mode.largest, mode.largest).astype(np.int64)


def product(qa: np.ndarray, qb: np.ndarray, ea: np.ndarray, eb: np.ndarray, mode: Mode):
    """Bits of the sums of products of mantissas [M, K], [N, K], scaled and rounded once."""
    sums = np.stack([(row * qb >> mode.shift).sum(axis=1) for row in qa])
    sums += qa.shape[1] // 2 if mode is S16 else 0
    scale = ea[:, None] + eb[None] - 2 * mode.places + mode.shift
    with np.errstate(all="ignore"):
        value = np.ldexp(sums.astype(np.longdouble), scale.clip(-20000, 20000).astype(np.int32))
        return value.astype(np.float32)


def want(a: np.ndarray, b: np.ndarray, mode: Mode) -> np.ndarray:
    """Bits of C by docs/spec/dots16.md 1."""
    words = exponent_words(a), exponent_words(b)
    qa, qb = mantissas(a, words[0], mode), mantissas(b, words[1], mode)
    c = product(qa, qb, *map(exponents, words), mode)[None]
    flags = [(w & NONFINITE_FLAG)[None] != 0 for w in words]
    with np.errstate(all="ignore"):
        return replace_nonfinite(c, a[None], b[None], *flags)[0].view(np.uint32)
