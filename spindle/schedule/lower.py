"""The lowering's context: values to Bufs, jobs to the current Block.

Lowering functions (fusion.py, dot.py, copy.py, loop.py) take a Lowering and one op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from spindle.ir.graph import WORD, Op, TensorType, Value
from spindle.ir.plan import CONST, SetReg, Step, TaskStep
from spindle.options import Options
from spindle.schedule.assemble import Draft, assemble
from spindle.schedule.jobs import Block, Buf, Job
from spindle.schedule.resident import ResidentArena
from spindle.schedule.room import Room
from spindle.spec.records import MAX_TERMS

VIEW_REGS = range(MAX_TERMS, MAX_TERMS + 6)
"""Registers of views, each set once in a region; below are those of single copies, above loops'."""


@dataclass
class Constants:
    """The const segment, filled while lowering; equal contents share one place."""

    data: bytearray = field(default_factory=bytearray)
    places: dict[bytes, int] = field(default_factory=dict)

    def place(self, value: npt.NDArray[Any], dtype: str) -> int:
        """Offset of these words in the const segment."""
        words = value.astype(np.uint32) if dtype == "i1" else value
        raw = np.ascontiguousarray(words).tobytes()
        if raw not in self.places:
            self.data += bytes(-len(self.data) % 8)
            self.places[raw] = len(self.data)
            self.data += raw
        return self.places[raw]


@dataclass
class Lowering:
    """State while one region is lowered.

    bufs: memory of values. targets: homes that results are wanted in. known: integers whose value
    is known while compiling. resident: operands that stay in DTCM. depth: loops around this. views:
    dynamic slices that get no memory (alias.py); registers: not yet taken by those; set_by: those
    set to a value, clamped, and the job that does it. outer: the state of the region around this.
    """

    options: Options
    constants: Constants
    block: Block = field(default_factory=Block)
    bufs: dict[Value, Buf] = field(default_factory=dict)
    targets: dict[Value, Buf] = field(default_factory=dict)
    ids: count[int] = field(default_factory=count)
    known: dict[Value, int] = field(default_factory=dict)
    resident: ResidentArena = field(default_factory=ResidentArena)
    depth: int = 0
    views: frozenset[Op] = frozenset()
    registers: Iterator[int] = field(default_factory=lambda: iter(VIEW_REGS))
    set_by: dict[tuple[Value, int], tuple[int, Job]] = field(default_factory=dict)
    outer: Lowering | None = None

    def flag_buf(self) -> Buf:
        """Memory of a loop's condition, in the outermost region, for it alone.

        Lanes leave the loop at their own time: one may have gone far when another reads it.
        """
        if self.outer is not None:
            return self.outer.flag_buf()
        buf = self.new_buf(WORD, "loop condition")
        buf.lasts = True
        return buf

    def new_buf(
        self,
        size_bytes: int,
        name: str = "",
        loc: str = "",
        *,
        segment: str | None = None,
        over: Buf | None = None,
        offset: int = 0,
        inside: Buf | None = None,
    ) -> Buf:
        """Make a Buf of this block."""
        size = max(size_bytes, WORD)
        buf = Buf(f"%{next(self.ids)}", size, name, loc, segment, over, offset, inside)
        self.block.bufs.append(buf)
        return buf

    def result_buf(self, value: Value, op: Op) -> Buf:
        """Memory for an op's result: where it is wanted (result, carry), else new scratch."""
        buf = self.targets.get(value)
        if buf is None:
            buf = self.new_buf(value.type.size_bytes, op.kind, op.loc)
        self.bufs[value] = buf
        return buf

    def constant_buf(self, value: npt.NDArray[Any], tensor: TensorType) -> Buf:
        """A Buf in the const segment."""
        offset = self.constants.place(value, tensor.dtype)
        return self.new_buf(tensor.size_bytes, "constant", segment=CONST, offset=offset)

    def add(
        self,
        make: Callable[[Room], Sequence[Step]],
        reads: Sequence[Buf],
        writes: Sequence[Buf],
        *,
        work: float = 0.0,
        after: Sequence[Job] = (),
        alone: bool = False,
        lane: Callable[[], int | None] = lambda: None,
        settled: Callable[[list[Step]], list[Step]] | None = None,
    ) -> Job:
        """Append a job to the block."""
        job = Job(make, tuple(reads), tuple(writes), work, tuple(after), alone, lane, settled)
        self.block.jobs.append(job)
        return job

    def view(self, value: Value, inside: Buf, start: Value, high: int, stride: int) -> Buf | None:
        """A Buf that begins `stride` bytes times start, clamped to 0..high, into another one.

        None where no register is left.
        """
        found = self.set_by.get((start, high)) or self._set(start, high)
        if found is None:
            return None
        reg, job = found
        buf = self.new_buf(value.type.size_bytes, "view", inside=inside)
        buf.terms = (*inside.terms, (reg, stride))
        job.writes += (buf,)
        return buf

    def _set(self, start: Value, high: int) -> tuple[int, Job] | None:
        """Append a job that sets a register, if one is left."""
        reg = next(self.registers, None)
        if reg is None:
            return None
        source = self.bufs[start]
        steps = [SetReg(reg, source.addr(), 0, high)]
        job = Job(lambda room: steps, (source,), (), sets=True)
        self.block.jobs.append(job)
        self.set_by[start, high] = reg, job
        return reg, job

    def add_drafts(
        self,
        drafts: Sequence[Draft],
        reads: Sequence[Buf],
        writes: Sequence[Buf],
        *,
        before: Sequence[SetReg] = (),
        after: Sequence[Job] = (),
    ) -> Job:
        """Append a job of tasks whose tiles are chosen when the lanes are known."""

        def make(room: Room) -> list[Step]:
            return [*before, *(TaskStep(assemble(draft, room)) for draft in drafts)]

        work = sum(draft.work for draft in drafts)
        return self.add(make, reads, writes, work=work, after=after)
