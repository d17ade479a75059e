"""Helpers of the dot tests: the steps scan, balance, quantise, multiply as tasks on flat arrays.

Shapes: A [M, K], B [N, K] float32. A matrix is stored as [f][k], or with `across` as [k][f].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from task_tools import INTERNAL, LAZY, STORE, instr, operand, task, words

from spindle.kernels_host.harness import run_task
from spindle.spec.records import PANEL_ROW_WORDS
from spindle.spec.tables import QUANTISE_GIVEN


@dataclass
class Panel:
    """Quantised operand in memory; e: [blocks][rows, even][4] words of exponents, corrections."""

    q: np.ndarray
    e: np.ndarray
    free: int
    n_k: int
    k_block: int

    @property
    def even(self) -> int:
        return self.free + self.free % 2

    @property
    def pair_words(self) -> int:
        return -(-self.n_k // 8) * 16

    def operands(self, dim: int, flags: int = 0) -> tuple:
        stride = [0, 0, 0, 2]
        stride[dim] = self.pair_words
        panel = operand(stride, 3, flags, granule1=2, unit_words=2, align_words=16)
        stride = [0, 0, 0, self.even * PANEL_ROW_WORDS]
        stride[dim] = PANEL_ROW_WORDS
        shape = {"unit_words": PANEL_ROW_WORDS, "align_words": 2 * PANEL_ROW_WORDS}
        return panel, operand(stride, dim, flags, granule3=self.k_block, **shape)

    def mantissas(self) -> np.ndarray:
        """q [free, K] without padding; the padding must be 0."""
        pairs = self.q.view(np.int32).reshape(self.even // 2, -1, 2)
        rows = np.cumsum(pairs, axis=2, dtype=np.int32)
        full = rows.transpose(0, 2, 1).reshape(self.even, -1)
        self.check_corrections(full.astype(np.int64))
        assert not full[self.free :].any() and not full[:, self.n_k :].any()
        return full[: self.free, : self.n_k]

    def check_corrections(self, q: np.ndarray) -> None:
        """Those in memory are minus the sums of products of neighbours in k, per K-block."""
        products = q[:, ::2] * q[:, 1::2]
        for block, part in enumerate(np.split(products, self.cuts(), axis=1)):
            want = -part.sum(axis=1)
            got = np.ascontiguousarray(self.e[block, :, 2:]).view(np.int64)[:, 0]
            np.testing.assert_array_equal(got, want)
            assert not self.e[block, :, 1].any()

    def cuts(self) -> range:
        """Where K-blocks begin, but the first, in pairs of k."""
        return range(self.k_block // 2, -(-self.n_k // 8) * 4, self.k_block // 2)

    def exponents(self) -> np.ndarray:
        """e [free, blocks]."""
        low = (self.e[:, : self.free, 0] & 0xFFFF).astype(np.uint16)
        return low.view(np.int16).astype(np.int32).T

    def flags(self) -> np.ndarray:
        """Non-finite flag [free]."""
        return ((self.e[:, : self.free, 0] & 0x10000) != 0).any(axis=0)


def matrix_operand(x: np.ndarray, dim: int, across: bool, flags: int = 0) -> dict:
    stride = [0, 0, 0, 0]
    stride[dim], stride[3] = (1, x.shape[0]) if across else (x.shape[1], 1)
    return operand(stride, dim if across else 3, flags)


def stored(x: np.ndarray, across: bool) -> np.ndarray:
    return words(x.T if across else x)


def scan(x: np.ndarray, across: bool, tile_f: int, tile_k: int | None = None) -> np.ndarray:
    """Partial a_k [row tiles, K], int32: SCAN, or with tile_k SCAN_FREE then SCAN_K."""
    n_f, n_k = x.shape
    out = np.zeros(-(-n_f // tile_f) * n_k, np.uint32)
    operands = [matrix_operand(x, 1, across), operand((0, n_k, 0, 1), 3, STORE, granule1=tile_f)]
    if tile_k is None:
        record = task("SCAN", (1, n_f, 1, n_k), (1, tile_f, 1, n_k))
        run_task(record, operands, [], [stored(x, across), out])
        return out.view(np.int32).reshape(-1, n_k)
    r = np.zeros(n_f, np.uint32)
    extent, tile = (1, n_f, 1, n_k), (1, tile_f, 1, tile_k)
    free = [operands[0], operand((0, 1, 0, 0), 1, STORE)]
    run_task(task("SCAN_FREE", extent, tile, inner=3), free, [], [stored(x, across), r])
    last = [operands[0], operand((0, 1, 0, 0), 1), operands[1]]
    run_task(task("SCAN_K", extent, tile), last, [], [stored(x, across), r, out])
    return out.view(np.int32).reshape(-1, n_k)


def balance(a: np.ndarray, b: np.ndarray, tile_k: int) -> np.ndarray:
    """d_k from partials [rows, K] of both sides."""
    n_k = a.shape[1]
    d = np.zeros(n_k, np.uint32)
    extent = (1, a.shape[0], b.shape[0], n_k)
    operands = [
        operand((0, n_k, 0, 1), 3),
        operand((0, 0, n_k, 1), 3),
        operand((0, 0, 0, 1), 3, STORE),
    ]
    record = task("BALANCE", extent, (*extent[:3], tile_k))
    run_task(record, operands, [], [words(a), words(b), d])
    return d.view(np.int32)


def quantise(
    x: np.ndarray,
    d: np.ndarray,
    arg: int,
    k_block: int,
    tile_f: int,
    across: bool = False,
    given: np.ndarray | None = None,
) -> Panel:
    """Quantise x [F, K] with +d (arg 0) or -d (arg 1).

    given: one exponent word a row, whatever the K-block; None: the kernel finds them.
    """
    n_f, n_k = x.shape
    blocks = -(-n_k // k_block)
    q = np.full(-(-n_f // 2) * 16 * -(-n_k // 8), 0xDEAD, np.uint32)
    panel = Panel(q, np.zeros(0, np.uint32), n_f, n_k, k_block)
    panel.e = np.full(blocks * panel.even * PANEL_ROW_WORDS, 0xDEAD, np.uint32)
    operands = [matrix_operand(x, 1, across), operand((0, 0, 0, 1), 3), *panel.operands(1, STORE)]
    data = [stored(x, across), words(d), panel.q, panel.e]
    if given is not None:
        arg, operands, data = (
            arg | QUANTISE_GIVEN,
            [*operands, operand((0, 1, 0, 0), 1)],
            [*data, given],
        )
    record = task("QUANTISE", (1, n_f, 1, n_k), (1, tile_f, 1, k_block), k_block=k_block, arg=arg)
    run_task(record, operands, [], data)
    panel.e = panel.e.reshape(blocks, panel.even, PANEL_ROW_WORDS)
    return panel


def multiply(
    a: Panel,
    b: Panel,
    lazy: tuple[np.ndarray, np.ndarray],
    tile: tuple[int, int, int],
    *,
    plain: bool = False,
) -> tuple[np.ndarray, int]:
    """C [M, N] as float32 bits, by the epilogue "copy C out", and the number of rescued outputs."""
    m, n = a.free, b.free
    pa, ea = a.operands(1)
    pb, eb = b.operands(2)
    lhs = matrix_operand(lazy[0], 1, False, LAZY)
    rhs = matrix_operand(lazy[1], 2, False, LAZY)
    c = operand((0, n, 1, 0), 2, INTERNAL)
    out = operand((0, n, 1, 0), 2, STORE)
    result = np.zeros(m * n, np.uint32)
    record = task("DOT_S28", (1, m, n, a.n_k), (1, *tile), inner=3, k_block=a.k_block, n_temps=0)
    arrays = [a.q, b.q, a.e.reshape(-1), b.e.reshape(-1), lazy[0][None], lazy[1][None]]
    decided = run_task(
        record,
        [pa, pb, ea, eb, lhs, rhs, c, out],
        [instr("COPY", 7, 6)],
        [*arrays, None, result],
        plain=plain,
    )
    return result.reshape(m, n), decided


def dot(
    a: np.ndarray,
    b: np.ndarray,
    tile: tuple[int, int, int],
    k_block: int = 512,
    *,
    swapped: bool = False,
    across: tuple[bool, bool] = (False, False),
    plain: bool = False,
) -> tuple[np.ndarray, int]:
    """The whole chain for a [M, K], b [N, K]: bits of C and rescued outputs."""
    partial = [scan(x, way, tile[0]) for x, way in zip((a, b), across, strict=True)]
    d = balance(*(reversed(partial) if swapped else partial), tile[2])
    qa = quantise(a, d, int(swapped), k_block, tile[0], across[0])
    qb = quantise(b, d, int(not swapped), k_block, tile[1], across[1])
    return multiply(qa, qb, (a, b), tile, plain=plain)
