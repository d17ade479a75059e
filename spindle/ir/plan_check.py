"""The checker of Plans: proves that no task leaves its memory, whatever its registers hold.

In: a Plan. Out: nothing, or InternalError naming the task. For every operand: the lowest and the
highest byte over all tiles and register bounds lie in its segment; buffers, workspace and
temporaries lie in the arena and apart, those of a task apart from those of the task before, which
may still compute; everything is word aligned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations

from spindle.errors import InternalError
from spindle.ir.plan import (
    CONST,
    SCRATCH,
    Addr,
    Loop,
    Operand,
    Plan,
    SetReg,
    Step,
    Task,
    TaskStep,
    While,
)
from spindle.ir.resident_check import check_residents
from spindle.spec import chip, records

ARENA_WORDS = chip.TILE_ARENA_BYTES // 4
HALF_WORDS = chip.HALF_ARENA_BYTES // 4
RESIDENT_START = 2 * HALF_WORDS

Bounds = Mapping[int, tuple[int, int]]
"""{register: (lowest, highest value)} of the registers that are set."""

Stores = list[tuple[str, int, int]]
"""(segment, first byte, byte after the last) stored since the last barrier."""

Interval = tuple[str, int, int]
"""Name, first word, word after the last, from the tile arena's start."""


def check(plan: Plan, work_words: Callable[[Task], int] | None = None) -> None:
    """Raise InternalError where a Plan breaks a rule of docs/spec/image.md.

    work_words: words of workspace a task's kernel needs (kernels_host knows); None: not checked.
    """
    segments = _segments(plan)
    _check_donated(plan)
    _check_steps(plan.steps, segments, {}, work_words, [])
    check_residents(plan.steps, RESIDENT_START, tile_words)


def _segments(plan: Plan) -> dict[str, int]:
    sizes = {CONST: len(plan.const), SCRATCH: plan.scratch_bytes}
    sizes |= {f"arg{i}": t.size_bytes for i, t in enumerate(plan.args)}
    return sizes | {f"result{j}": t.size_bytes for j, t in enumerate(plan.results)}


def _check_donated(plan: Plan) -> None:
    for result, arg in plan.donated.items():
        if plan.results[result].size_bytes != plan.args[arg].size_bytes:
            raise InternalError(f"{plan.name}: result{result} does not fit in donated arg{arg}")


def _check_steps(
    steps: tuple[Step, ...],
    segments: Mapping[str, int],
    bounds: dict[int, tuple[int, int]],
    work_words: Callable[[Task], int] | None,
    stored: Stores,
) -> Stores:
    """Check steps in order; `bounds` is updated. Returns what is stored since the last barrier."""
    before: Task | None = None
    read: Stores = []
    for step in steps:
        if isinstance(step, TaskStep):
            check_task(step.task, segments, bounds, work_words)
            _check_apart(step.task, _stores(step.task, bounds), read)
            read = [] if step.barrier else read
            _check_beside(before, step.task, work_words)
        before = step.task if isinstance(step, TaskStep) and not step.barrier else None
        if isinstance(step, TaskStep):
            stored = [] if step.barrier else stored + _stores(step.task, bounds)
        elif isinstance(step, SetReg):
            _check_set_reg(step, segments, bounds, stored)
            read.append((step.addr.segment, *_reach(step.addr, 0, 4, bounds)))
        elif isinstance(step, Loop):
            _check_register(step.reg, step.label or "loop")
            if step.count:
                bounds[step.reg] = (0, step.count - 1)
                stored = _check_steps(step.body, segments, bounds, work_words, stored)
                _need(not stored, step.label or "loop", "its body does not end in a barrier")
            bounds.pop(step.reg, None)
        else:
            stored = _check_while(step, segments, bounds, work_words, stored)
    return stored


def _stores(task: Task, bounds: Bounds) -> Stores:
    """Hulls of what a task stores."""
    out = []
    for op in task.operands:
        if op.store and all(task.extent):
            span = operand_span(task, op)
            out.append((op.addr.segment, *_reach(op.addr, *span, bounds)))
    return out


def _check_apart(task: Task, stores: Stores, read: Stores) -> None:
    """No lane stores to a register's word that another may still have to read."""
    for segment, low, high in stores:
        for other, first, end in read:
            apart = segment != other or high <= first or end <= low
            _need(apart, task.label, f"no barrier lies between it and a set_reg from {segment}")


def _check_while(
    step: While,
    segments: Mapping[str, int],
    bounds: dict[int, tuple[int, int]],
    work_words: Callable[[Task], int] | None,
    stored: Stores,
) -> Stores:
    label = step.label or "while"
    stored = _check_steps(step.cond, segments, bounds, work_words, stored)
    _need(not stored, label, "its condition does not end in a barrier")
    _check_word(step.addr, label, segments, bounds)
    stored = _check_steps(step.body, segments, bounds, work_words, stored)
    _need(not stored, label, "its body does not end in a barrier")
    return stored


def _check_set_reg(
    step: SetReg, segments: Mapping[str, int], bounds: dict[int, tuple[int, int]], stored: Stores
) -> None:
    label = f"set r{step.reg}"
    _check_register(step.reg, label)
    _need(step.lo <= step.hi, label, f"bounds {step.lo}..{step.hi} are empty")
    _check_word(step.addr, label, segments, bounds)
    low, high = _reach(step.addr, 0, 4, bounds)
    for segment, start, end in stored:
        apart = segment != step.addr.segment or end <= low or high <= start
        _need(apart, label, f"no barrier lies between it and a store to {step.addr}")
    bounds[step.reg] = (step.lo, step.hi)


def _check_register(reg: int, label: str) -> None:
    _need(0 <= reg < records.LOOP_REGS, label, f"loop register {reg} does not exist")


def _need(sound: bool, label: str, what: str) -> None:
    if not sound:
        raise InternalError(f"{label}: {what}")


def _check_word(addr: Addr, label: str, segments: Mapping[str, int], bounds: Bounds) -> None:
    _check_range(addr, 0, 4, label, segments, bounds)


def _check_range(
    addr: Addr, low: int, high: int, label: str, segments: Mapping[str, int], bounds: Bounds
) -> None:
    """Bytes low..high beside `addr`, at all register bounds, lie in the segment."""
    _need(addr.segment in segments, label, f"segment {addr.segment!r} does not exist")
    numbers = (addr.offset, *(stride for _, stride in addr.terms))
    _need(all(n % 4 == 0 for n in numbers), label, f"address {addr} is not word aligned")
    for reg, _ in addr.terms:
        _need(reg in bounds, label, f"address {addr} uses register {reg}, which is not set")
    low, high = _reach(addr, low, high, bounds)
    size = segments[addr.segment]
    _need(
        low >= 0 and high <= size,
        label,
        f"bytes {low}..{high} of {addr} lie outside of {addr.segment} ({size} B)",
    )


def _reach(addr: Addr, low: int, high: int, bounds: Bounds) -> tuple[int, int]:
    """Hull of bytes low..high beside `addr`, from its segment's start, at all register bounds."""
    low, high = low + addr.offset, high + addr.offset
    for reg, stride in addr.terms:
        ends = [stride * value for value in bounds[reg]]
        low, high = low + min(ends), high + max(ends)
    return low, high


def check_task(
    task: Task,
    segments: Mapping[str, int],
    bounds: Bounds,
    work_words: Callable[[Task], int] | None = None,
) -> None:
    """Check one task; segments: {name: bytes}. Raises InternalError."""
    _need(all(t >= 1 for t in task.tile), task.label, f"tile {task.tile} has an empty side")
    if not all(task.extent):
        return
    for op in task.operands:
        where = f"{task.label}, operand {op.name}"
        _check_operand(task, op, where)
        if not op.internal:
            low, high = operand_span(task, op)
            _check_range(op.addr, low, high, where, segments, bounds)
    _check_dtcm(task, work_words)


def _check_operand(task: Task, op: Operand, where: str) -> None:
    _need(op.granule1 >= 1 and op.granule3 >= 1, where, "a granule is below 1")
    _need(op.unit_words >= 1 and op.align_words >= 1, where, "unit or align is below 1")
    _need(all(stride % 4 == 0 for stride in op.stride), where, "a stride is not word aligned")
    if op.fast is None:
        return
    _need(0 <= op.fast <= 3, where, f"fast dim {op.fast} does not exist")
    if not op.internal and task.extent[op.fast] > 1:
        unit = op.unit_words * 4
        stride = op.stride[op.fast]
        _need(stride == unit, where, f"its fast dim has stride {stride} B, a unit is {unit} B")


def _granule(op: Operand, dim: int) -> int:
    return (1, op.granule1, op.granule1, op.granule3)[dim]


def operand_span(task: Task, op: Operand) -> tuple[int, int]:
    """Lowest byte and the byte after the highest, beside the operand's address, over all tiles."""
    low = high = 0
    for dim in range(4):
        if dim == op.fast:
            continue
        last = (task.extent[dim] - 1) // _granule(op, dim) * op.stride[dim]
        low, high = low + min(0, last), high + max(0, last)
    return low, high + _row_end(task, op)


def _row_end(task: Task, op: Operand) -> int:
    """Bytes from a row's start to the end of its last tile, padding included."""
    if op.fast is None:
        return _round_up(op.unit_words, op.align_words) * 4
    extent, tile = task.extent[op.fast], task.tile[op.fast]
    starts = {0, max(0, (extent - 1) // tile - 1) * tile, (extent - 1) // tile * tile}
    ends = []
    for start in starts:
        words = min(tile, extent - start) * op.unit_words
        ends.append(start * op.unit_words + _round_up(words, op.align_words))
    return max(ends) * 4


def _round_up(words: int, align: int) -> int:
    return -(-words // align) * align


def tile_words(task: Task, op: Operand) -> int:
    """Most words that a tile of the operand takes in DTCM."""
    words = op.unit_words
    if op.fast is not None:
        words *= min(task.tile[op.fast], task.extent[op.fast])
    words = _round_up(words, op.align_words)
    for dim in range(4):
        if dim != op.fast and op.stride[dim] != 0:
            words *= _most_rows(task.extent[dim], task.tile[dim], _granule(op, dim))
    return words


def _most_rows(extent: int, tile: int, granule: int) -> int:
    """Most granules that one tile touches; tiles begin at multiples of `tile`."""
    if granule % tile == 0 or extent <= granule:
        return 1
    if tile % granule == 0 or tile >= extent:
        return -(-min(tile, extent) // granule)
    return (tile + granule - 2) // granule + 1


def _check_dtcm(task: Task, work_words: Callable[[Task], int] | None) -> None:
    intervals = [*_buffers(task), *_workspace(task, work_words)]
    _check_arena(task, intervals)
    for (name, low, high), (other, low2, high2) in combinations(intervals, 2):
        _need(
            high <= low2 or high2 <= low or low == high or low2 == high2,
            task.label,
            f"{name} (words {low}..{high}) and {other} (words {low2}..{high2}) overlap",
        )
    for op in task.operands:
        if op.lazy:
            _check_lazy(task, op)


def _buffers(task: Task) -> list[Interval]:
    intervals: list[Interval] = []
    shared = _sharing(task)
    for i, op in enumerate(task.operands):
        if op.lazy or (shared and i == shared[1]):
            continue
        words = tile_words(task, op)
        intervals.append((op.name, op.dtcm, op.dtcm + words))
        if op.buffer:
            second = op.dtcm + op.buffer
            intervals.append((f"{op.name}'s second buffer", second, second + words))
    if shared:
        source, target = (task.operands[i] for i in shared)
        same = (source.dtcm, source.buffer) == (target.dtcm, target.buffer)
        same = same and tile_words(task, source) == tile_words(task, target)
        what = "the operands of a COPY do not" if task.kernel == "COPY" else "C and result do not"
        _need(same, task.label, f"{what} share one buffer")
    return intervals


def _sharing(task: Task) -> tuple[int, int] | None:
    """Operands that lie in one buffer: those of a COPY, C and the result of a bare dot."""
    if task.kernel == "COPY":
        return 0, 1
    if task.kernel.startswith("DOT_") and not task.program:
        (c,) = (i for i, op in enumerate(task.operands) if op.internal)
        return c, c + 1
    return None


def _workspace(task: Task, work_words: Callable[[Task], int] | None) -> list[Interval]:
    temps = task.work + task.temps
    intervals = [("temporaries", temps, temps + task.n_temps * records.STRIP)]
    if work_words is not None:
        intervals.append(("workspace", task.work, task.work + work_words(task)))
    return intervals


def _check_arena(task: Task, intervals: list[Interval]) -> None:
    """All lies in the two halves, but for tiles among the resident ones, or in the whole arena."""
    low, high = _span(task, intervals)
    end = ARENA_WORDS if task.exclusive else RESIDENT_START
    where = "the arena" if task.exclusive else "both halves of the arena"
    _need(
        low >= 0 and high <= end,
        task.label,
        f"DTCM words {low}..{high} lie outside of {where} (0..{end})",
    )


def _span(task: Task, intervals: list[Interval]) -> tuple[int, int]:
    """First word and the word after the last that a task uses in the two halves."""
    used = [(low, high) for _, low, high in intervals if low < high]
    if not task.exclusive:
        used = [(low, high) for low, high in used if low < RESIDENT_START or high > ARENA_WORDS]
    if not used:
        return 0, 0
    low = min(low for low, _ in used)
    return low, max(low + task.words, *(high for _, high in used))


def _check_beside(
    before: Task | None, task: Task, work_words: Callable[[Task], int] | None
) -> None:
    """A task is loaded while the one before computes, where one is lower and one upper."""
    if before is None or before.exclusive or task.exclusive or not all(task.extent):
        return
    if (before.work < HALF_WORDS) == (task.work < HALF_WORDS):
        return
    (low, high), (low2, high2) = (
        _span(one, [*_buffers(one), *_workspace(one, work_words)]) for one in (before, task)
    )
    _need(
        high <= low2 or high2 <= low,
        task.label,
        f"it loads into DTCM words {low2}..{high2} while {before.label} uses {low}..{high}",
    )


def _check_lazy(task: Task, op: Operand) -> None:
    """The rescue loads chunks of an original, of half a tile's k, into its panel's buffer."""
    panel = task.operands[task.operands.index(op) - 4]
    chunk = replace(task, tile=(*task.tile[:3], max(task.tile[3] // 8 * 4, 4)))
    words, room = tile_words(chunk, op), tile_words(task, panel)
    _need(words <= room, task.label, f"a chunk of {op.name} is {words} words, its panel {room}")
