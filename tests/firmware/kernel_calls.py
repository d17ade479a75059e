"""Calls of single kernel functions in an ARM program: strip primitives, folds, sums of products.

In: NumPy arrays of float32 bits or integers. Out: what the function wrote, or its cycles.
Structures are laid out as kernels/strip.h, dot_s28.h and dot_s16.h say for 32-bit pointers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from arm_program import ArmProgram, TimedProgram

from spindle.spec import records
from spindle.spec.tables import KERNEL, QUANTISE_GIVEN, QUANTISE_WIDE, SCAN_WORDS

STRIP = 64
N_REGS, N_WORD, STRIP_WORDS = 48, 49, 96
CHUNK = 8


@dataclass(frozen=True)
class Call:
    """A function with its arguments in memory, and where its result will be."""

    program: ArmProgram | TimedProgram
    name: str
    arguments: tuple[int, ...]
    out: int
    n_out: int

    def run(self, dtype: str = "uint32") -> np.ndarray:
        """Run it; the words it wrote."""
        assert isinstance(self.program, ArmProgram)
        self.program.call(self.name, *self.arguments)
        return self.program.read(self.out, self.n_out, dtype)

    def cycles(self) -> int:
        """Cycles from its first instruction to its return."""
        assert isinstance(self.program, TimedProgram)
        return self.program.cycles(self.name, *self.arguments)


def prim(
    program: ArmProgram | TimedProgram,
    name: str,
    sources: Sequence[np.ndarray],
    *,
    imm: int = 0,
    n: int = STRIP,
) -> Call:
    """A strip primitive on up to three sources; the third one's register goes into imm."""
    program.reset()
    out = program.reserve(4 * (n + 1))
    places = [out, *(program.place(source) for source in sources)]
    words = np.zeros(STRIP_WORDS, np.uint32)
    words[: len(places)] = places
    words[N_WORD] = n
    imm = 3 if len(sources) == 3 else imm
    instr = struct.pack("<4BI", 0, 0, 1, 2, imm)
    arguments = (program.place(words), program.place(np.frombuffer(instr, np.uint8)))
    return Call(program, name, arguments, out, n)


def adam(
    program: ArmProgram | TimedProgram,
    moving: Sequence[np.ndarray],
    constants: Sequence[np.ndarray],
    *,
    g_last: int = 0,
    in_place: bool = False,
) -> Call:
    """ADAM_F32 on p, m, v, g and b1, c1, b2, c2, alpha, eps; out: p', m', v' in a row.

    in_place: the results replace p, m and v.
    """
    program.reset()
    n = len(moving[0])
    out = program.place(np.concatenate(moving[:3]))
    outs = [out + 4 * n * i for i in range(3)]
    sources = [*outs, program.place(moving[3])] if in_place else map(program.place, moving)
    places = [*outs, *sources, *map(program.place, constants)]
    words = np.zeros(STRIP_WORDS, np.uint32)
    words[: len(places)] = places
    words[N_WORD] = n
    instrs = struct.pack("<4BI", 0, 0, 1, 2, g_last)
    instrs += struct.pack("<4BI", 0, 3, 4, 5, 6 | 7 << 8 | 8 << 16 | 9 << 24)
    instrs += struct.pack("<4BI", 0, 10, 11, 12, 0)
    arguments = (program.place(words), program.place(np.frombuffer(instrs, np.uint8)))
    return Call(program, "prim_adam_f32", arguments, out, 3 * n)


def merge(program: ArmProgram | TimedProgram, acc: np.ndarray, x: np.ndarray) -> Call:
    """merge_add_f32: acc[i] + x[i]."""
    program.reset()
    out = program.place(acc)
    return Call(program, "merge_add_f32", (out, program.place(x), len(x)), out, len(x))


def panel(rows: np.ndarray, beside: int = 0) -> np.ndarray:
    """[F][K] int32 (F even, K a multiple of 8) as pairs of rows (docs/spec/image.md).

    beside: words behind each pair that belong to other k.
    """
    n_f, n_k = rows.shape
    out = np.zeros((n_f // 2, 2 * n_k + beside), np.int32)
    pairs = rows.reshape(n_f // 2, 2, n_k).transpose(0, 2, 1)
    out[:, : 2 * n_k] = np.diff(pairs, axis=2, prepend=np.int32(0)).reshape(n_f // 2, -1)
    return out


def panel_rows(q: np.ndarray, exponents: np.ndarray | None = None) -> np.ndarray:
    """[F][4] words of rows q[F][K] of one K-block: exponent, 0, correction."""
    out = np.zeros((len(q), records.PANEL_ROW_WORDS), np.uint32)
    if exponents is not None:
        out[:, 0] = exponents.astype(np.int64) & 0xFFFF
    wide = q.astype(np.int64)
    corrections = -(wide[:, ::2] * wide[:, 1::2]).sum(axis=1, keepdims=True)
    out[:, 2:] = corrections.view(np.uint32)
    return out


def dot_sums(
    program: ArmProgram | TimedProgram,
    a: np.ndarray,
    b: np.ndarray,
    start: np.ndarray,
    fresh: bool = False,
) -> Call:
    """dot_s28_sums of two rows a[2][K] and b[N][K], on top of start[2][N] or fresh.

    Only a fresh start adds the corrections.
    """
    program.reset()
    beside = 2 * CHUNK
    guard = program.reserve(64)
    places = program.place(panel(a)), program.place(panel(b, beside))
    rows = program.place(panel_rows(a)), program.place(panel_rows(b))
    sizes = (2 * b.shape[1] + beside, len(b), a.shape[1] // CHUNK)
    pair = np.array([*places, *sizes, *rows, fresh], np.uint32)
    out = program.place(start)
    assert guard
    return Call(program, "dot_s28_sums", (out, program.place(pair)), out, start.size)


def operand(fast: int, dims: Sequence[int], **fields: int) -> bytes:
    """An operand record of a dense tile indexed by `dims`."""
    stride = tuple(4 if dim in dims else 0 for dim in range(4))
    given = {"stride": stride, "fast": fast, "granule1": 1, "granule3": 1}
    return records.OPERAND.pack({**given, "unit_words": 1, "align_words": 1, **fields})


def task_record(
    task: dict[str, Any], operands: Sequence[bytes], instrs: Sequence[dict[str, Any]] = ()
) -> bytes:
    """The record of a task whose only tile is the whole of it (docs/spec/image.md)."""
    whole = {"tile": tuple(task["extent"]), "inner": records.NO_DIM}
    counts = {"n_operands": len(operands), "n_instrs": len(instrs)}
    head = records.TASK.pack({**whole, **task, **counts})
    return head + b"".join(operands) + b"".join(map(records.INSTR.pack, instrs))


def kernel(
    program: ArmProgram | TimedProgram,
    task: dict[str, Any],
    operands: Sequence[bytes],
    data: Sequence[np.ndarray],
    out: int,
    instrs: Sequence[dict[str, Any]] = (),
) -> Call:
    """kernel_compute on the whole of a task as one tile; the result is operand `out`'s words."""
    program.reset()
    places = [program.place(array) for array in data]
    work = program.reserve(1 << 12)
    blob = task_record(task, operands, instrs)
    record = program.place(np.frombuffer(blob, np.uint8))
    tile = (0, 0, 0, 0, *task["extent"], 1, 1)
    pointers = [*places, *[0] * (records.MAX_OPERANDS - len(places))]
    operands_at = record + records.TASK.size
    program_at = operands_at + records.OPERAND.size * len(operands)
    words = [record, operands_at, program_at, *tile, *pointers, work]
    arguments = (program.place(np.array(words, np.uint32)),)
    return Call(program, "kernel_compute", arguments, places[out], data[out].size)


def quantise(
    program: ArmProgram | TimedProgram,
    x: np.ndarray,
    d: np.ndarray,
    arg: int,
    *,
    across: bool,
    out: int,
    given: np.ndarray | None = None,
) -> Call:
    """QUANTISE of a tile x[F][K], stored [K][F] where across; out: 2 panel, 3 its rows' words.

    given: exponent words that the kernel shall take.
    """
    n_f, n_k = x.shape
    stored = np.ascontiguousarray(x.T if across else x)
    panel = np.full(-(-n_f // 2) * 16 * -(-n_k // CHUNK), 0xDEAD, np.uint32)
    row_words = records.PANEL_ROW_WORDS
    rows = np.full((n_f + n_f % 2) * row_words, 0xDEAD, np.uint32)
    operands = [
        operand(1 if across else 3, (1, 3)),
        operand(3, (3,)),
        operand(3, (1, 3), granule1=2, unit_words=2, align_words=16),
        operand(1, (1, 3), granule3=n_k, unit_words=row_words, align_words=2 * row_words),
    ]
    data = [stored, d, panel, rows]
    if given is not None:
        arg, operands, data = arg | QUANTISE_GIVEN, [*operands, operand(1, (1,))], [*data, given]
    task = {"kernel": KERNEL["QUANTISE"], "extent": (1, n_f, 1, n_k), "k_block": n_k, "arg": arg}
    return kernel(program, task, operands, data, out)


def scan(program: ArmProgram | TimedProgram, x: np.ndarray, *, across: bool) -> Call:
    """SCAN of one tile x[F][K]: a_k."""
    stored = np.ascontiguousarray(x.T if across else x)
    operands = [operand(1 if across else 3, (1, 3)), operand(3, (3,))]
    task = {"kernel": KERNEL["SCAN"], "extent": (1, x.shape[0], 1, x.shape[1]), "k_block": 512}
    out = np.zeros(x.shape[1], np.int32)
    return kernel(program, task, operands, [stored, out], 1)


def scan_words(program: ArmProgram | TimedProgram, x: np.ndarray, *, across: bool) -> Call:
    """SCAN_FREE of one tile x[F][K]: exponent words."""
    stored = np.ascontiguousarray(x.T if across else x)
    operands = [operand(1 if across else 3, (1, 3)), operand(1, (1,))]
    extent = (1, x.shape[0], 1, x.shape[1])
    task = {"kernel": KERNEL["SCAN_FREE"], "extent": extent, "arg": SCAN_WORDS}
    return kernel(program, task, operands, [stored, np.zeros(x.shape[0], np.uint32)], 1)


def dot_finish(
    program: ArmProgram | TimedProgram,
    sums: np.ndarray,
    exponents: np.ndarray,
    exponent: int,
    c: np.ndarray | None,
) -> Call:
    """dot_s28_finish of one row: onto c, or as the first block."""
    program.reset()
    n = len(sums)
    out = program.place(np.zeros(n, np.uint32) if c is None else c)
    columns = program.place(panel_rows(np.zeros((n, 2), np.int32), exponents))
    row = [out, program.place(sums), columns, n, exponent & 0xFFFFFFFF, c is None]
    return Call(program, "dot_s28_finish", (program.place(np.array(row, np.uint32)),), out, n)


def dot(
    program: ArmProgram | TimedProgram, a: np.ndarray, b: np.ndarray, exponents: np.ndarray
) -> Call:
    """DOT_S28 of a tile, one K-block: mantissas a[M][K], b[N][K]; exponents of rows, columns."""
    (m, k), n = a.shape, len(b)
    rows = panel_rows(a, exponents[:m]), panel_rows(b, exponents[m:])
    panels = [operand(3, (dim, 3), granule1=2, unit_words=2, align_words=16) for dim in (1, 2)]
    unit = {"unit_words": records.PANEL_ROW_WORDS, "align_words": 2 * records.PANEL_ROW_WORDS}
    scales = [operand(dim, (dim, 3), granule3=k, **unit) for dim in (1, 2)]
    lazy = [operand(3, (dim, 3)) for dim in (1, 2)]
    data = [panel(a), panel(b), *rows]
    data += [np.zeros(1, np.uint32)] * 2 + [np.zeros(m * n, np.uint32)]
    task = {"kernel": KERNEL["DOT_S28"], "extent": (1, m, n, k), "k_block": k}
    return kernel(program, task, [*panels, *scales, *lazy, operand(2, (1, 2))], data, 6)


HALVES = ((0, 0), (1, 0), (2, 0), (2, 1), (0, 1), (1, 1))
"""Row of the triple and k of the pair, in the order of a narrow panel."""


def triples(q: np.ndarray, *, wide: bool = False) -> np.ndarray:
    """[F][K] mantissas, K a multiple of 8, as triples of rows (docs/spec/dots16.md 2)."""
    full = np.zeros((-(-len(q) // 3) * 3, q.shape[1]), np.int32)
    full[: len(q)] = q
    rows = full.reshape(-1, 3, q.shape[1])
    if wide:
        return np.ascontiguousarray(rows.transpose(0, 2, 1) << 9)
    pairs = rows.reshape(len(rows), 3, -1, 2).astype(np.int16)
    return np.stack([pairs[:, r, :, k] for r, k in HALVES], axis=2)


def triple_sums(
    program: ArmProgram | TimedProgram,
    bits: int,
    a: np.ndarray,
    b: np.ndarray,
    start: np.ndarray | None = None,
) -> Call:
    """dot_s13_sums, dot_s16_sums of rows a[3][K] and columns b[N][K] from start[N / 3][9], or 0."""
    program.reset()
    n = len(b) // 3
    places = program.place(triples(a, wide=bits == 16)), program.place(triples(b))
    out = program.place(np.zeros(9, np.int32) if start is None else start)
    begin, step = (out, 0) if start is None else (out, 9)
    sums = program.reserve(36 * n) if start is None else out
    words = [*places, a.shape[1] // CHUNK, n, sums, begin, step]
    arguments = (program.place(np.array(words, np.uint32)),)
    return Call(program, f"dot_s{bits}_sums", arguments, sums, 9 * n)


def finish_16(
    program: ArmProgram | TimedProgram,
    sums: np.ndarray,
    exponents: np.ndarray,
    exponent: int,
    high: np.ndarray | None = None,
) -> Call:
    """dot_s16_finish of one row of sums[N]; high: what is above them."""
    program.reset()
    n = len(sums)
    columns = program.place((exponents.astype(np.int64) & 0xFFFF).astype(np.uint32))
    rows = [program.place(row_of_blocks(x)) if x is not None else 0 for x in (sums, high)]
    out = program.reserve(4 * n)
    row = [out, *rows, columns, n, exponent & 0xFFFFFFFF]
    return Call(program, "dot_s16_finish", (program.place(np.array(row, np.uint32)),), out, n)


def row_of_blocks(x: np.ndarray) -> np.ndarray:
    """A row of values as the first row of 3x3 blocks."""
    blocks = np.zeros((-(-len(x) // 3), 3, 3), np.int32)
    flat = np.zeros(blocks.shape[0] * 3, np.int32)
    flat[: len(x)] = x
    blocks[:, 0] = flat.reshape(-1, 3)
    return blocks


def quantise_16(
    program: ArmProgram | TimedProgram,
    x: np.ndarray,
    bits: int,
    *,
    across: bool,
    out: int,
    wide: bool = False,
    given: np.ndarray | None = None,
) -> Call:
    """QUANTISE_13 or _16 of a tile x[F][K], stored [K][F] where across; out: 1 panel, 2 words."""
    n_f, n_k = x.shape
    unit = 24 if wide else 12
    shape = {"granule1": 3, "granule3": 8, "unit_words": unit, "align_words": unit // 3}
    panel = np.full(-(-n_f // 3) * -(-n_k // CHUNK) * unit, 0xDEAD, np.uint32)
    operands = [
        operand(1 if across else 3, (1, 3)),
        operand(records.NO_DIM, (1, 3), **shape),
        operand(1, (1,)),
    ]
    words = np.zeros(n_f, np.uint32) if given is None else given
    data = [np.ascontiguousarray(x.T if across else x), panel, words]
    arg = (QUANTISE_WIDE if wide else 0) | (0 if given is None else QUANTISE_GIVEN)
    task = {"kernel": KERNEL[f"QUANTISE_{bits}"], "extent": (1, n_f, 1, n_k), "arg": arg}
    return kernel(program, task, operands, data, out)


def dot_16(
    program: ArmProgram | TimedProgram,
    bits: int,
    a: np.ndarray,
    b: np.ndarray,
    exponents: np.ndarray,
) -> Call:
    """DOT_S13 or DOT_S16 of a tile: mantissas a[M][K], b[N][K]; exponents of rows, columns."""
    (m, k), n = a.shape, len(b)
    words = (exponents.astype(np.int64) & 0xFFFF).astype(np.uint32)
    shapes = [
        {"granule1": 3, "granule3": 8, "unit_words": unit, "align_words": unit // 3}
        for unit in (24 if bits == 16 else 12, 12)
    ]
    panels = [operand(records.NO_DIM, (dim, 3), **shapes[dim - 1]) for dim in (1, 2)]
    scales = [operand(dim, (dim,)) for dim in (1, 2)]
    lazy = [operand(3, (dim, 3)) for dim in (1, 2)]
    data = [triples(a, wide=bits == 16), triples(b), words[:m], words[m:]]
    data += [np.zeros(1, np.uint32)] * 2 + [np.zeros(m * n, np.uint32)]
    task = {"kernel": KERNEL[f"DOT_S{bits}"], "extent": (1, m, n, k)}
    return kernel(program, task, [*panels, *scales, *lazy, operand(2, (1, 2))], data, 6)
