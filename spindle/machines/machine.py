"""The Machine protocol: what native, iss and board all are to the code above them.

Buffers outlive programs. Addresses are the machine's business; a Buffer is a tuple of per-chip
parts from the first day. Donation is the same Buffer among inputs and outputs of `run`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from spindle.image.image import Image


@dataclass(frozen=True)
class Part:
    """One chip's share of a Buffer: chip (x, y), SDRAM address, bytes."""

    chip: tuple[int, int]
    addr: int
    size_bytes: int


@dataclass(eq=False)
class Buffer:
    """Memory on a machine; `alive` turns False when freed or lost (`lost` says how)."""

    device: int
    size_bytes: int
    parts: tuple[Part, ...]
    alive: bool = True
    lost: str = ""


@dataclass(frozen=True)
class StepRun:
    """One step of a finished launch, over its lanes; loops added up.

    cycles, compute, dma_wait: per lane, index = lane. elapsed: the step's share of the launch's
    cycles: between two barriers, the time from barrier to barrier is shared among the steps as
    their lanes' mean cycles are (whole cycles; what rounding leaves goes to the longest step, the
    end of the program to the last one). The sum over all steps and the barriers themselves is
    Run.cycles.
    """

    id: int
    label: str
    origin: str
    loc: str
    runs: int
    elapsed: int
    cycles: tuple[int, ...]
    compute: tuple[int, ...]
    dma_wait: tuple[int, ...]
    dma_bytes: int
    nonfinite: int


@dataclass(frozen=True)
class Run:
    """The record of one launch: everything report/ prints comes from here.

    cycles: doorbell taken to last lane done. core_cycles: busy cycles per core (energy).
    packets_sent: deliveries (docs/spec/barrier.md, Counters), a release to 16 cores counts 16.
    packets_lost and packets_resent are None where no packet can be lost. host_bytes: moved to and
    from the host since the launch before. macs: multiply-accumulates of the program's dots.
    """

    machine: str
    program: str
    costs_hash: str
    n_cores: int
    cycles: int
    core_cycles: tuple[int, ...]
    barriers: int
    steps: tuple[StepRun, ...]
    dma_bytes: int
    host_bytes: int
    packets_sent: int
    packets_lost: int | None
    nonfinite: int
    macs: int
    wall_s: float
    options: dict[str, object] = field(default_factory=dict)
    packets_resent: int | None = None


class Program(Protocol):
    """A loaded Image."""

    @property
    def image(self) -> Image: ...


class Event(Protocol):
    """A launch under way."""

    def done(self) -> bool:
        """Whether it has ended, well or not."""

    def wait(self, timeout_s: float | None = None) -> Run:
        """Wait for the end and return its record.

        Raises FaultError when a core stopped, TimeoutError after timeout_s; KeyboardInterrupt gets
        through (the caller then calls Machine.abort).
        """


class Machine(Protocol):
    """One open machine. Raises MachineError where a call cannot be served."""

    name: str

    def load(self, image: Image) -> Program:
        """Put an Image on the machine. Raises OutOfMemoryError, naming the largest buffers."""

    def unload(self, program: Program) -> None:
        """Free a program's memory."""

    def alloc(self, device: int, size_bytes: int) -> Buffer:
        """Allocate; contents are undefined. Raises OutOfMemoryError with size and what is free."""

    def free(self, buffer: Buffer) -> None:
        """Free; twice is harmless."""

    def write(self, buffer: Buffer, data: bytes | memoryview) -> None:
        """Fill a whole Buffer. Raises UserError where the size differs."""

    def read(self, buffer: Buffer) -> bytes:
        """Read a whole Buffer. Raises LostArrayError where it is no longer alive."""

    def run(self, program: Program, inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Event:
        """Queue one launch. Inputs and outputs as the Image's args and results."""

    def abort(self) -> None:
        """Ask a launch under way to leave at its next tile; returns when it has."""

    def host_bytes(self) -> int:
        """Bytes moved between host and machine since open."""

    def close(self) -> None:
        """Give everything back; twice is harmless."""
