"""Place scratch Bufs by lifetime, and lay a task's tiles out in DTCM.

In: a Block and its epochs. Out: byte offsets; Bufs that are never alive together share memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spindle.ir.plan import SCRATCH, Addr, Operand
from spindle.schedule.jobs import Block, Buf, Job
from spindle.spec.chip import HALF_ARENA_BYTES, RESIDENT_ARENA_BYTES

ALIGN = 128
RESIDENT_START = 2 * HALF_ARENA_BYTES // 4
"""First word of the resident tiles, from the tile arena's start."""
RESIDENT_WORDS = RESIDENT_ARENA_BYTES // 4


def place(
    block: Block, groups: list[list[Job]], base: str = SCRATCH
) -> tuple[dict[str, Addr], int]:
    """Return ({buf id: Addr}, bytes used). Scratch offsets count from segment `base`.

    A fixed Buf keeps its segment; one that takes over memory of an outer block refers to it.
    """
    spans = _spans(groups) | {buf: (0, len(groups)) for buf in block.bufs if buf.lasts}
    own = {buf for buf in block.bufs if buf.root is buf and buf.segment is None}
    offsets: dict[Buf, int] = {}
    for buf in sorted(own & spans.keys(), key=lambda b: (-b.size_bytes, spans[b], b.id)):
        offsets[buf] = _first_fit(buf, offsets, spans)
    top = max((offsets[b] + _aligned(b.size_bytes) for b in offsets), default=0)
    return {b.id: _home(b, offsets, own, base) for b in block.bufs}, top


def _home(buf: Buf, offsets: dict[Buf, int], own: set[Buf], base: str) -> Addr:
    root = buf.root
    if root.segment is not None:
        return Addr(root.segment, root.offset, buf.terms)
    if root in own:
        return Addr(base, offsets.get(root, 0), buf.terms)
    return Addr(root.id, 0, buf.terms)


def _spans(groups: list[list[Job]]) -> dict[Buf, tuple[int, int]]:
    spans: dict[Buf, tuple[int, int]] = {}
    for epoch, group in enumerate(groups):
        for job in group:
            for buf in (*job.reads, *job.writes):
                low, high = spans.get(buf.root, (epoch, epoch))
                spans[buf.root] = (min(low, epoch), max(high, epoch))
    return spans


def _first_fit(buf: Buf, offsets: dict[Buf, int], spans: dict[Buf, tuple[int, int]]) -> int:
    low, high = spans[buf]
    busy = sorted(
        (offset, offset + _aligned(other.size_bytes))
        for other, offset in offsets.items()
        if spans[other][0] <= high and low <= spans[other][1]
    )
    at = 0
    for start, end in busy:
        if at + _aligned(buf.size_bytes) <= start:
            break
        at = max(at, end)
    return at


def _aligned(size_bytes: int) -> int:
    return -(-max(size_bytes, 1) // ALIGN) * ALIGN


def lay_out(
    operands: Sequence[Operand], words: Sequence[int], double: Sequence[bool]
) -> tuple[tuple[Operand, ...], int]:
    """Give each operand its DTCM place: words per buffer, two buffers where `double`.

    Returns the operands and the first free word. LAZY operands get no place; those that already
    have one among the resident tiles keep it.
    """
    out, at = [], 0
    for operand, size, two in zip(operands, words, double, strict=True):
        if _is_placed(operand):
            out.append(operand)
            continue
        size += size % 2
        out.append(replace(operand, dtcm=at, buffer=size if two else 0))
        at += size * (2 if two else 1)
    return tuple(out), at


def top_words(operands: Sequence[Operand], words: Sequence[int], double: Sequence[bool]) -> int:
    """First free word behind what lay_out places."""
    parts = zip(operands, words, double, strict=True)
    return sum((size + size % 2) * (1 + two) for op, size, two in parts if not _is_placed(op))


def _is_placed(operand: Operand) -> bool:
    return operand.lazy or operand.dtcm >= RESIDENT_START
