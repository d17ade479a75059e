"""Emit: Plan -> Image. Packs steps into the program stream of docs/spec/image.md.

A While becomes LOOP (of as many trips as fit a word), cond, BRANCH past the end, body, LOOP_END:
its register, one that the Plan does not use, counts the trips.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from spindle.errors import InternalError
from spindle.image.image import Image, StepInfo
from spindle.ir.plan import (
    CONST,
    SCRATCH,
    Addr,
    Loop,
    Plan,
    SetReg,
    Step,
    Task,
    TaskStep,
    While,
)
from spindle.ir.task_record import addr_fields, pack_checked, pack_task, pack_terms, task_bytes
from spindle.spec import chip, generate, records

ENDLESS = 0xFFFFFFFF
"""Trips of the loop that a While is emitted as."""

_KIND = records.FLAGS["STEP"]
_BARRIER = records.FLAGS["STEP_FLAG"]["BARRIER"]


@dataclass
class _Entry:
    """One entry before packing; `target` is an index into the entries, once known."""

    kind: str
    id: int
    reg: int = 0
    barrier: bool = False
    task: Task | None = None
    count: int = 0
    lo: int = 0
    hi: int = 0
    addr: Addr | None = None
    target: int | None = None


@dataclass
class _Writer:
    """Entries and step facts so far; `free` are the registers that Whiles may take."""

    slots: dict[str, int]
    free: tuple[int, ...]
    entries: list[_Entry] = field(default_factory=list)
    steps: list[StepInfo] = field(default_factory=list)


def emit(plan: Plan) -> Image:
    """Pack a Plan. Raises InternalError, naming the task, where a record's limit is passed."""
    writer = _Writer(_slots(plan), _free_registers(plan))
    _write_steps(writer, plan.steps, trips=1, depth=0)
    writer.entries.append(_Entry("END", len(writer.steps)))
    return Image(
        name=plan.name,
        abi_hash=generate.abi_hash(),
        program=_pack(writer),
        const=plan.const,
        scratch_bytes=plan.scratch_bytes,
        args=plan.args,
        results=plan.results,
        donated=dict(plan.donated),
        steps=tuple(writer.steps),
        arg_names=plan.arg_names,
        result_names=plan.result_names,
        buffers=plan.buffers,
        options=dict(plan.options),
    )


def _slots(plan: Plan) -> dict[str, int]:
    names = [CONST, SCRATCH, *(f"arg{i}" for i in range(len(plan.args)))]
    names += [f"result{j}" for j in range(len(plan.results))]
    return {name: slot for slot, name in enumerate(names)}


def _free_registers(plan: Plan) -> tuple[int, ...]:
    used = {s.reg for s in _walk(plan.steps) if isinstance(s, Loop | SetReg)}
    return tuple(reg for reg in range(records.LOOP_REGS) if reg not in used)


def _walk(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, Loop):
            yield from _walk(step.body)
        elif isinstance(step, While):
            yield from _walk((*step.cond, *step.body))


def _write_steps(writer: _Writer, steps: tuple[Step, ...], trips: int, depth: int) -> None:
    for step in steps:
        if isinstance(step, TaskStep):
            _write_task(writer, step, trips)
        elif isinstance(step, Loop):
            _write_loop(writer, step, trips, depth)
        elif isinstance(step, SetReg):
            number = _note(writer, f"set r{step.reg}", "set_reg", trips)
            entry = _Entry("SET_REG", number, reg=step.reg, addr=step.addr)
            entry.lo, entry.hi = step.lo, step.hi
            writer.entries.append(entry)
        else:
            _write_while(writer, step, trips, depth)


def _note(writer: _Writer, label: str, kernel: str, trips: int) -> int:
    number = len(writer.steps)
    writer.steps.append(StepInfo(number, label, "", "control", kernel, 0, trips))
    return number


def _write_task(writer: _Writer, step: TaskStep, trips: int) -> None:
    task, number = step.task, len(writer.steps)
    info = StepInfo(number, task.label, task.loc, task.origin, task.kernel, _macs(task), trips)
    writer.steps.append(info)
    writer.entries.append(_Entry("TASK", number, barrier=step.barrier, task=task))


def _macs(task: Task) -> int:
    """Multiply-accumulates of one run: 0 but for dots."""
    if not task.kernel.startswith("DOT_"):
        return 0
    batch, m, n, k = task.extent
    return batch * m * n * k


def _write_loop(writer: _Writer, loop: Loop, trips: int, depth: int) -> None:
    number = _note(writer, loop.label or f"loop r{loop.reg}", "loop", trips)
    head = _Entry("LOOP", number, reg=loop.reg, count=loop.count)
    writer.entries.append(head)
    first = len(writer.entries)
    _write_steps(writer, loop.body, trips * loop.count, depth)
    tail = _Entry("LOOP_END", number, reg=loop.reg, count=loop.count, target=first)
    writer.entries.append(tail)
    head.target = len(writer.entries)


def _write_while(writer: _Writer, step: While, trips: int, depth: int) -> None:
    if depth >= len(writer.free):
        raise InternalError(
            f"{step.label or 'while'}: no loop register is left of {records.LOOP_REGS}"
        )
    reg = writer.free[depth]
    number = _note(writer, step.label or "while", "while", trips)
    head = _Entry("LOOP", number, reg=reg, count=ENDLESS)
    writer.entries.append(head)
    first = len(writer.entries)
    _write_steps(writer, step.cond, trips, depth + 1)
    branch = _Entry("BRANCH", number, reg=reg, addr=step.addr)
    writer.entries.append(branch)
    _write_steps(writer, step.body, trips, depth + 1)
    writer.entries.append(_Entry("LOOP_END", number, reg=reg, count=ENDLESS, target=first))
    head.target = branch.target = len(writer.entries)


def _pack(writer: _Writer) -> bytes:
    sizes = [_size(entry) for entry in writer.entries]
    offsets = [sum(sizes[:i]) for i in range(len(sizes))]
    out = bytearray()
    for i, entry in enumerate(writer.entries):
        following = sizes[i + 1] if i + 1 < len(sizes) else 0
        header = {"kind": _KIND[entry.kind], "flags": _BARRIER * entry.barrier, "reg": entry.reg}
        header |= {"size": sizes[i], "next_size": following, "id": entry.id}
        out += records.STEP.pack(header) + _payload(writer, entry, sizes, offsets)
        if len(out) != offsets[i] + sizes[i]:
            raise InternalError(f"step {entry.id}: packed size differs from the counted one")
    return bytes(out)


def _size(entry: _Entry) -> int:
    size = records.STEP.size
    if entry.task is not None:
        size += task_bytes(entry.task)
    elif entry.kind != "END":
        n_terms = len(entry.addr.terms) if entry.addr else 0
        size += records.CONTROL.size + records.TERM.size * n_terms
    if size > chip.RECORD_SLOT_BYTES:
        name = entry.task.label if entry.task else entry.kind
        raise InternalError(
            f"{name}: its record takes {size} B, a record slot has {chip.RECORD_SLOT_BYTES} B"
        )
    return size


def _payload(writer: _Writer, entry: _Entry, sizes: list[int], offsets: list[int]) -> bytes:
    if entry.kind == "END":
        return b""
    if entry.task is not None:
        return pack_task(entry.task, writer.slots)
    values: dict[str, Any] = {"count": entry.count, "lo": entry.lo, "hi": entry.hi}
    if entry.target is not None:
        values |= {"target": offsets[entry.target], "target_size": sizes[entry.target]}
    terms = b""
    if entry.addr is not None:
        values["addr"] = addr_fields(entry.addr, writer.slots, f"step {entry.id}")
        terms = pack_terms(entry.addr)
    return pack_checked(records.CONTROL, values, f"step {entry.id}") + terms
