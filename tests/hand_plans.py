"""Plans written by hand, for tests of everything below the Plan.

Tensors are row-major words. `placed` gives every buffer of a task its place in DTCM, in one half of
the arena or (half None) in the whole of it, so that tests state shapes only.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.graph import TensorType
from spindle.ir.plan import (
    SCRATCH,
    Addr,
    Instr,
    Loop,
    Operand,
    Plan,
    SetReg,
    Step,
    Task,
    TaskStep,
    While,
)
from spindle.ir.plan_check import HALF_WORDS, check, tile_words

F32, I32 = "f32", "i32"
WORK_WORDS = 64
"""Left for workspaces; what takes more owns both halves of the arena."""


def placed(task: Task, half: int | None = 0, double: bool = True, at: int = 0) -> Task:
    """Give operands their buffers; double: two for what is moved; at: first word."""
    at += HALF_WORDS * (half or 0)
    operands = []
    for i, op in enumerate(task.operands):
        if op.lazy:
            operands.append(op)
            continue
        if task.kernel == "COPY" and i == 1:
            operands.append(replace(op, dtcm=operands[0].dtcm, buffer=operands[0].buffer))
            continue
        words = -(-tile_words(task, op) // 2) * 2
        buffer = words if double and not op.internal else 0
        operands.append(replace(op, dtcm=at, buffer=buffer))
        at += words + buffer
    if half is not None and at > HALF_WORDS * (half + 1) - WORK_WORDS:
        return placed(task, None, double)
    return replace(task, operands=tuple(operands), exclusive=half is None, work=at + at % 2)


def matrix(
    name: str,
    addr: Addr | str,
    columns: int,
    *,
    rows: bool = True,
    fast: bool = True,
    store: bool = False,
) -> Operand:
    """Operand over dims 1 and 2 of a row-major matrix with `columns` columns."""
    place = Addr(addr) if isinstance(addr, str) else addr
    stride = (0, 4 * columns if rows else 0, 4 if fast else 0, 0)
    return Operand(name, place, stride, 2 if fast else None, store=store)


def types(*shapes: tuple[tuple[int, ...], str]) -> tuple[TensorType, ...]:
    """Tensor types of (shape, dtype) pairs."""
    return tuple(TensorType(shape, dtype) for shape, dtype in shapes)


def plan(name: str, steps: tuple[Step, ...], args, results, donated=None, scratch=0) -> Plan:
    """A checked Plan."""
    made = Plan(name, steps, args, results, donated or {}, b"", scratch)
    check(made)
    return made


def strip(label: str, m: int, n: int, tile: tuple[int, int], operands, program, half=0, **more):
    """A strip task over an m x n matrix; more: double, and fields of Task."""
    double, at = more.pop("double", True), more.pop("at", 0)
    task = Task(
        "STRIP",
        (1, m, n, 1),
        (1, *tile, 1),
        tuple(operands),
        tuple(program),
        label=label,
        loc=f"{label}.py:1",
        origin="elementwise",
        **more,
    )
    return placed(task, half, double, at)


def add_bias(m: int, n: int, tile: tuple[int, int], double: bool = True) -> Plan:
    """result0[m, n] = arg0[m, n] + arg1[n]."""
    operands = (
        matrix("x", "arg0", n),
        matrix("bias", "arg1", n, rows=False),
        matrix("y", "result0", n, store=True),
    )
    add = Instr("ADD_F32", (2, 0, 1))
    task = strip("add", m, n, tile, operands, [add], double=double)
    args = types(((m, n), F32), ((n,), F32))
    return plan("add_bias", (TaskStep(task, barrier=True),), args, types(((m, n), F32)))


def chain(n_tasks: int, m: int, n: int, tile: tuple[int, int], alternate: bool = True) -> Plan:
    """result_i = arg0 + i: independent tasks, no barriers between them, in alternate halves or one.

    Two tasks of one half are placed apart by a buffer, so that one loads where the other stores.
    """
    words = -(-min(tile[0], m) * min(tile[1], n) // 2) * 2
    steps = []
    for i in range(n_tasks):
        operands = (
            matrix("x", "arg0", n),
            matrix("y", f"result{i}", n, store=True),
        )
        program = [Instr("SPLAT", (16,), i), Instr("ADD_I32", (1, 0, 16))]
        task = strip(
            f"add{i}",
            m,
            n,
            tile,
            operands,
            program,
            half=i % 2 if alternate else 0,
            n_temps=1,
            lane_first=5 * i % 16,
            at=(i // 2 if alternate else i) % 2 * 2 * words,
        )
        steps.append(TaskStep(task, barrier=i == n_tasks - 1))
    results = types(*[((m, n), I32)] * n_tasks)
    return plan("chain", tuple(steps), types(((m, n), I32)), results)


def single_store(m: int, n: int, tile: tuple[int, int]) -> Plan:
    """result0 = 2 * arg0 and result1 = column numbers; outputs have one buffer each."""
    both = (matrix("x", "arg0", n), matrix("y", "result0", n, store=True))
    twice = strip("twice", m, n, tile, both, [Instr("ADD_F32", (1, 0, 0))])
    operands = (twice.operands[0], replace(twice.operands[1], buffer=0))
    number = matrix("i", "result1", n, store=True)
    program = [Instr("IOTA", (0, 2), 1), Instr("EXT", (), 1 << 30)]
    iota = strip("iota", m, n, tile, [number], program, double=False)
    steps = (TaskStep(replace(twice, operands=operands), barrier=True), TaskStep(iota, True))
    results = types(((m, n), F32), ((m, n), I32))
    return plan("single_store", steps, types(((m, n), F32)), results)


def copy_window(m: int, n: int, columns: int, row: int, column: int, tile, double=True) -> Plan:
    """result0[m, n] = arg0[row:row+m, column:column+n] of a matrix with `columns` columns."""
    source = Addr("arg0", 4 * (row * columns + column))
    operands = (matrix("x", source, columns), matrix("y", "result0", n, store=True))
    task = Task("COPY", (1, m, n, 1), (1, *tile, 1), operands, label="copy", origin="copy")
    step = TaskStep(placed(task, None, double), barrier=True)
    args = types(((row + m + 3, columns), F32))
    return plan("copy_window", (step,), args, types(((m, n), F32)))


def add_in_place(m: int, n: int, tile: tuple[int, int]) -> Plan:
    """result0 = arg0 + arg0, in arg0's buffer."""
    operands = (matrix("x", "arg0", n), matrix("y", "result0", n, store=True))
    task = strip("twice", m, n, tile, operands, [Instr("ADD_F32", (1, 0, 0))])
    step = TaskStep(task, barrier=True)
    matrix_type = types(((m, n), F32))
    return plan("add_in_place", (step,), matrix_type, matrix_type, {0: 0})


def running_rows(count: int, inner_count: int, n: int) -> Plan:
    """Two loops: row i of result0 (donated arg0) += inner_count times row i of arg1."""
    row = Addr("arg0", 0, ((3, 4 * n),))
    operands = (
        matrix("x", row, n),
        matrix("y", replace(row, segment="arg1"), n),
        matrix("z", replace(row, segment="result0"), n, store=True),
    )
    task = strip("row", 1, n, (1, 32), operands, [Instr("ADD_I32", (2, 0, 1))])
    inner = Loop(7, inner_count, (TaskStep(task, barrier=True),), "inner")
    rows = types(((count, n), I32))
    return plan("running_rows", (Loop(3, count, (inner,), "outer"),), rows * 2, rows, {0: 0})


def dynamic_rows(m: int, n: int, rows: int) -> Plan:
    """result0[m, n] = arg0[s:s+m] with s = clamp(arg1, 0, rows - m)."""
    source = Addr("arg0", 0, ((5, 4 * n),))
    operands = (matrix("x", source, n), matrix("y", "result0", n, store=True))
    task = Task("COPY", (1, m, n, 1), (1, 2, 16, 1), operands, label="slice", origin="copy")
    steps = (SetReg(5, Addr("arg1"), 0, rows - m), TaskStep(placed(task), barrier=True))
    args = types(((rows, n), F32), ((), I32))
    return plan("dynamic_rows", steps, args, types(((m, n), F32)))


def count_down(n: int) -> Plan:
    """while arg0[0] > 0: arg0 -= 1, arg1 += 3; results are the donated arguments."""
    word, wide = Addr("arg0"), Addr(SCRATCH)
    positive = strip(
        "positive",
        1,
        1,
        (1, 1),
        (matrix("i", word, 1), matrix("p", wide, 1, store=True)),
        [Instr("SPLAT", (16,), 0), Instr("LT_S32", (1, 16, 0))],
        n_temps=1,
    )
    one = strip(
        "less",
        1,
        1,
        (1, 1),
        (matrix("i", word, 1), matrix("j", "result0", 1, store=True)),
        [Instr("SPLAT", (16,), 1), Instr("SUB_I32", (1, 0, 16))],
        n_temps=1,
    )
    more = strip(
        "more",
        1,
        n,
        (1, 16),
        (matrix("x", "arg1", n), matrix("y", "result1", n, store=True)),
        [Instr("SPLAT", (16,), 3), Instr("ADD_I32", (1, 0, 16))],
        half=1,
        n_temps=1,
    )
    body = (TaskStep(one), TaskStep(more, barrier=True))
    loop = While((TaskStep(positive, barrier=True),), wide, body, "count")
    both = types(((1,), I32), ((n,), I32))
    return plan("count_down", (loop,), both, both, {0: 0, 1: 1}, scratch=4)


def dot_float32(m: int, n: int, k: int, tile: tuple[int, int, int]) -> Plan:
    """result0[m, n] = arg0[m, k] @ arg1[k, n] + arg2[n], each step rounded, in order of k."""
    operands = (
        Operand("a", Addr("arg0"), (0, 4 * k, 0, 4), 3),
        Operand("b", Addr("arg1"), (0, 0, 4, 4 * n), 2),
        Operand("c", Addr(SCRATCH), (0, 4 * n, 4, 0), 2, internal=True),
        matrix("bias", "arg2", n, rows=False),
        matrix("y", "result0", n, store=True),
    )
    task = Task(
        "DOT_F32",
        (1, m, n, k),
        (1, *tile),
        operands,
        (Instr("ADD_F32", (4, 2, 3)),),
        inner=3,
        label="dense",
        loc="model.py:7",
        origin="gemm",
    )
    args = types(((m, k), F32), ((k, n), F32), ((n,), F32))
    step = TaskStep(placed(task), barrier=True)
    return plan("dot_float32", (step,), args, types(((m, n), F32)))
