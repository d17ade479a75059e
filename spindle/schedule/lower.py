"""The lowering's context: values to Bufs, jobs to the current Block.

Lowering functions (fusion.py, dot.py, copy.py, loop.py) take a Lowering and one op.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from spindle.ir.graph import WORD, Op, TensorType, Value
from spindle.ir.plan import CONST, Addr, SetReg, Step
from spindle.options import Options
from spindle.schedule.jobs import Block, Buf, Job

Target = Callable[[Value], Buf | None]


@dataclass
class Constants:
    """The const segment, filled while lowering; equal contents share one place."""

    data: bytearray = field(default_factory=bytearray)
    places: dict[bytes, int] = field(default_factory=dict)

    def add(self, value: np.ndarray, dtype: str) -> int:  # type: ignore[type-arg]
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
    """State while one region is lowered. `bufs` maps values (reshapes included) to memory."""

    options: Options
    constants: Constants
    block: Block = field(default_factory=Block)
    bufs: dict[Value, Buf] = field(default_factory=dict)
    targets: dict[Value, Buf] = field(default_factory=dict)
    ids: count[int] = field(default_factory=count)
    known: dict[Value, int] = field(default_factory=dict)
    depth: int = 0

    def new_buf(
        self,
        size_bytes: int,
        name: str = "",
        loc: str = "",
        *,
        segment: str | None = None,
        over: Buf | None = None,
    ) -> Buf:
        """Make a Buf of this block."""
        buf = Buf(f"%{next(self.ids)}", max(size_bytes, WORD), name, loc, segment, over)
        self.block.bufs.append(buf)
        return buf

    def result_buf(self, value: Value, op: Op) -> Buf:
        """Memory for an op's result: where it is wanted (result, carry), else new scratch."""
        buf = self.targets.get(value)
        if buf is None:
            buf = self.new_buf(value.type.size_bytes, op.kind, op.loc)
        self.bufs[value] = buf
        return buf

    def constant_buf(self, value: np.ndarray, type_: TensorType) -> Buf:  # type: ignore[type-arg]
        """A Buf in the const segment; its address carries the offset."""
        offset = self.constants.add(value, type_.dtype)
        buf = Buf(f"%{next(self.ids)}", type_.size_bytes, "constant", "", CONST)
        buf.offset = offset
        self.block.bufs.append(buf)
        return buf

    def add(
        self,
        steps: Sequence[Step],
        reads: Sequence[Buf],
        writes: Sequence[Buf],
        *,
        after: Sequence[Job] = (),
        alone: bool = False,
    ) -> Job:
        """Append a job to the block."""
        job = Job(tuple(steps), tuple(reads), tuple(writes), tuple(after), alone)
        self.block.jobs.append(job)
        return job


def set_reg(reg: int, addr: Addr, high: int) -> SetReg:
    """SetReg of a start index, clamped to 0..high."""
    return SetReg(reg, addr, 0, high)
