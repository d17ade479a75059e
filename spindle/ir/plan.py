"""Plan: one program for all chips, as steps over lanes; written by schedule/, read by codegen/.

Addresses are (segment, offset, loop-register terms); a task is a loop nest over tiles, never a list
of tiles. Units: bytes in SDRAM, words in DTCM. docs/spec/image.md explains operands and tiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spindle.ir.graph import TensorType

CONST, SCRATCH = "const", "scratch"
"""Segment names; the others are "arg<i>" and "result<j>"."""


@dataclass(frozen=True)
class Addr:
    """segment base + offset + sum of stride * loop register, bytes; terms = ((reg, stride),)."""

    segment: str
    offset: int = 0
    terms: tuple[tuple[int, int], ...] = ()

    def __str__(self) -> str:
        terms = "".join(f"+{stride}*r{reg}" for reg, stride in self.terms)
        return f"{self.segment}+{self.offset}{terms}"


@dataclass(frozen=True)
class Operand:
    """One tensor of a task; fields as in spec/records.py OPERAND. `name` is for people."""

    name: str
    addr: Addr
    stride: tuple[int, int, int, int]
    fast: int | None
    store: bool = False
    lazy: bool = False
    internal: bool = False
    resident: bool = False
    granule1: int = 1
    granule3: int = 1
    unit_words: int = 1
    align_words: int = 1
    dtcm: int = 0
    buffer: int = 0


@dataclass(frozen=True)
class Instr:
    """One strip instruction; prim is a name of spec/tables.py PRIMITIVES."""

    prim: str
    reg: tuple[int, ...] = ()
    imm: int = 0


@dataclass(frozen=True)
class Task:
    """A loop nest over tiles. `origin`: what it came from, "gemm", "adam", "elementwise", ....

    words: of DTCM from its first one, resident tiles left out; 0: what its buffers take.
    """

    kernel: str
    extent: tuple[int, int, int, int]
    tile: tuple[int, int, int, int]
    operands: tuple[Operand, ...]
    program: tuple[Instr, ...] = ()
    n_prologue: int = 0
    n_temps: int = 0
    inner: int | None = None
    lane_first: int = 0
    exclusive: bool = False
    k_block: int = 0
    arg: int = 0
    work: int = 0
    temps: int = 0
    words: int = 0
    label: str = ""
    loc: str = ""
    origin: str = "other"

    @property
    def n_tiles(self) -> int:
        """Tiles that lanes share: those along every dim but the inner one."""
        n = 1
        for dim in range(4):
            if dim != self.inner:
                n *= -(-self.extent[dim] // self.tile[dim])
        return n


@dataclass(frozen=True)
class TaskStep:
    """Run a task; `barrier`: all lanes meet after it."""

    task: Task
    barrier: bool = False


@dataclass(frozen=True)
class Loop:
    """Run `body` `count` times with register `reg` = 0 .. count-1; the body ends in a barrier."""

    reg: int
    count: int
    body: tuple[Step, ...]
    label: str = ""


@dataclass(frozen=True)
class SetReg:
    """Read an i32 from SDRAM into a register, clamped to lo..hi; follows a barrier."""

    reg: int
    addr: Addr
    lo: int
    hi: int


@dataclass(frozen=True)
class While:
    """Run `cond`; leave when the word at `addr` is 0, else run `body` and begin again."""

    cond: tuple[Step, ...]
    addr: Addr
    body: tuple[Step, ...]
    label: str = ""


Step = TaskStep | Loop | SetReg | While


@dataclass(frozen=True)
class Plan:
    """A scheduled program.

    donated: {result: arg} bound to the same Buffer. const: initial contents of the const segment.
    buffers: what lives in scratch, largest first: (name, bytes, source line), for messages.
    """

    name: str
    steps: tuple[Step, ...]
    args: tuple[TensorType, ...]
    results: tuple[TensorType, ...]
    donated: Mapping[int, int]
    const: bytes
    scratch_bytes: int
    arg_names: tuple[str, ...] = ()
    result_names: tuple[str, ...] = ()
    buffers: tuple[tuple[str, int, str], ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
