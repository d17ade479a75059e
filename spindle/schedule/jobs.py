"""Jobs: what the lowering of ops produces, before order, barriers and addresses are decided.

A Buf is one tensor's memory. Two Bufs may share memory (`over`): the newer one overwrites the older
in place, so every job that reads the older must come before the job that writes the newer.
Addresses in tasks name Bufs by id ("%7") until memory.py has placed them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from spindle.ir.plan import Addr, Loop, Operand, SetReg, Step, TaskStep, While
from spindle.schedule.room import Room


@dataclass(eq=False)
class Buf:
    """Memory of one tensor. segment, offset: a fixed home ("arg0"), else scratch.

    over: the Buf whose memory this one takes over. inside: the Buf that this one is a view of; it
    begins there where the registers of terms say. lasts: no other Buf may have its memory, ever.
    """

    id: str
    size_bytes: int
    name: str = ""
    loc: str = ""
    segment: str | None = None
    over: Buf | None = None
    offset: int = 0
    inside: Buf | None = None
    terms: tuple[tuple[int, int], ...] = ()
    lasts: bool = False

    @property
    def root(self) -> Buf:
        """The Buf whose memory this one uses."""
        other = self.over or self.inside
        return other.root if other else self

    def addr(self, offset: int = 0, terms: tuple[tuple[int, int], ...] = ()) -> Addr:
        """Address inside this Buf, still symbolic."""
        return Addr(self.id, offset, terms)


@dataclass(eq=False)
class Job:
    """Steps that stay together, with the Bufs they touch.

    make: called, with several rooms, when it is known what the job may use; returns its steps.
    work: guess of its cycles over all lanes. alone: needs a barrier on both sides. lane: gives the
    first lane its tasks must have, or None. settled: gets the steps as chosen, first lanes
    included, and returns them as they stay. beside: a job of which it takes the other lanes, where
    both are in one epoch. sets: it only sets registers, which its epoch has from its start.
    """

    make: Callable[[Room], Sequence[Step]]
    reads: tuple[Buf, ...]
    writes: tuple[Buf, ...]
    work: float = 0.0
    after: tuple[Job, ...] = ()
    alone: bool = False
    lane: Callable[[], int | None] = lambda: None
    settled: Callable[[list[Step]], list[Step]] | None = None
    beside: Job | None = None
    sets: bool = False


@dataclass(eq=False)
class Block:
    """Jobs of one region in program order, and the scratch Bufs they use."""

    jobs: list[Job] = field(default_factory=list)
    bufs: list[Buf] = field(default_factory=list)


def predecessors(block: Block) -> dict[Job, set[Job]]:
    """Jobs that must end before each job starts: its inputs' writers, and readers it overwrites."""
    writers: dict[Buf, list[Job]] = {}
    readers: dict[Buf, list[Job]] = {}
    for job in block.jobs:
        for buf in job.writes:
            writers.setdefault(buf, []).append(job)
        for buf in job.reads:
            for seen in _seen(buf):
                readers.setdefault(seen, []).append(job)
    before: dict[Job, set[Job]] = {}
    for job in block.jobs:
        needs = {o for buf in job.reads for seen in _seen(buf) for o in writers.get(seen, ())}
        for buf in job.writes:
            if buf.over is not None:
                needs |= set(readers.get(buf.over, ())) | set(writers.get(buf.over, ()))
        before[job] = (needs | set(job.after)) - {job}
    return before


def _seen(buf: Buf) -> Iterator[Buf]:
    """A Buf, and what it is a view of."""
    yield buf
    if buf.inside is not None:
        yield from _seen(buf.inside)


def map_addrs(step: Step, place: dict[str, Addr]) -> Step:
    """Replace symbolic addresses of a step (and of its body) by placed ones."""
    if isinstance(step, TaskStep):
        operands = tuple(_map_operand(operand, place) for operand in step.task.operands)
        return replace(step, task=replace(step.task, operands=operands))
    if isinstance(step, SetReg):
        return replace(step, addr=_map_addr(step.addr, place))
    body = tuple(map_addrs(inner, place) for inner in step.body)
    if isinstance(step, Loop):
        return replace(step, body=body)
    assert isinstance(step, While)
    cond = tuple(map_addrs(inner, place) for inner in step.cond)
    return replace(step, cond=cond, addr=_map_addr(step.addr, place), body=body)


def _map_operand(operand: Operand, place: dict[str, Addr]) -> Operand:
    return replace(operand, addr=_map_addr(operand.addr, place))


def _map_addr(addr: Addr, place: dict[str, Addr]) -> Addr:
    home = place.get(addr.segment)
    if home is None:
        return addr
    return Addr(home.segment, home.offset + addr.offset, (*home.terms, *addr.terms))
