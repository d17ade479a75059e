"""The whole chain of a bfp28 dot, written by hand: scans, balancing, panels, dot."""

from __future__ import annotations

import hand_plans as hand

from spindle.ir.plan import SCRATCH, Addr, Instr, Operand, Plan, Task, TaskStep
from spindle.spec.records import PANEL_ROW_WORDS


class Scratch:
    """Places in the scratch segment, one after another."""

    def __init__(self) -> None:
        self.size_bytes = 0

    def take(self, words: int) -> Addr:
        """Room for `words`."""
        addr = Addr(SCRATCH, self.size_bytes)
        self.size_bytes += -(-words // 32) * 128
        return addr


def quantised_dot(m: int, n: int, k: int, tile: tuple[int, int, int], k_block: int) -> Plan:
    """result0[m, n] = arg0[m, k] @ arg1[k, n] in bfp28, balanced."""
    scratch = Scratch()
    a, b = Side("a", Addr("arg0"), m, k, 4 * k, 4, 3), Side("b", Addr("arg1"), n, k, 4, 4 * n, 1)
    rows = 8
    parts = [side.scan(scratch, rows) for side in (a, b)]
    balanced = scratch.take(k)
    steps = [TaskStep(task, barrier=i == 1) for i, (task, _) in enumerate(parts)]
    steps.append(TaskStep(balance(a, b, parts[0][1], parts[1][1], balanced, rows), barrier=True))
    for number, side in enumerate((a, b)):
        task = side.quantise(scratch, balanced, k_block, number)
        steps.append(TaskStep(task, barrier=number == 1))
    steps.append(TaskStep(dot(a, b, tile, k_block), barrier=True))
    args = hand.types(((m, k), "f32"), ((k, n), "f32"))
    results = hand.types(((m, n), "f32"))
    return hand.plan("dot", tuple(steps), args, results, scratch=scratch.size_bytes)


class Side:
    """One operand: f free rows, k contracted; byte strides of the original, its fast dim 3 or 1."""

    def __init__(
        self, name: str, addr: Addr, f: int, k: int, stride_f: int, stride_k: int, fast: int
    ) -> None:
        self.name, self.addr, self.f, self.k = name, addr, f, k
        self.stride_f, self.stride_k, self.fast = stride_f, stride_k, fast
        self.panel = self.exp = Addr(SCRATCH)

    def original(self, free: int, lazy: bool = False) -> Operand:
        """The float32 operand with its free index on dim `free`."""
        fast = 3 if self.fast == 3 else free
        return Operand(self.name, self.addr, self.strides(free), fast, lazy=lazy)

    def strides(self, free: int) -> tuple[int, int, int, int]:
        both = {free: self.stride_f, 3: self.stride_k}
        return tuple(both.get(dim, 0) for dim in range(4))  # type: ignore[return-value]

    def scan(self, scratch: Scratch, rows: int) -> tuple[Task, Addr]:
        """Partial a_k, one row of k words per tile of `rows` rows."""
        part = scratch.take(-(-self.f // rows) * self.k)
        out = Operand("part", part, (0, 4 * self.k, 0, 4), 3, store=True, granule1=rows)
        extent, tile = (1, self.f, 1, self.k), (1, rows, 1, self.k)
        task = Task("SCAN", extent, tile, (self.original(1), out), label=f"scan {self.name}")
        return hand.placed(task, half=None), part

    def quantise(self, scratch: Scratch, balanced: Addr, k_block: int, number: int) -> Task:
        """Fill the panel and its exponents."""
        even = self.f + self.f % 2
        self.panel = scratch.take(-(-self.k // 8) * even * 8)
        self.exp = scratch.take(-(-self.k // k_block) * even * PANEL_ROW_WORDS)
        operands = (
            self.original(1),
            Operand("d", balanced, (0, 0, 0, 4), 3),
            self.panel_operand(1, store=True),
            self.exp_operand(1, k_block, store=True),
        )
        extent, tile = (1, self.f, 1, self.k), (1, 8, 1, k_block)
        label = f"quantise {self.name}"
        task = Task("QUANTISE", extent, tile, operands, k_block=k_block, arg=number, label=label)
        return hand.placed(task, half=number)

    def panel_operand(self, free: int, store: bool = False) -> Operand:
        strides = {free: -(-self.k // 8) * 64, 3: 8}
        stride = tuple(strides.get(dim, 0) for dim in range(4))
        return Operand(
            f"panel {self.name}",
            self.panel,
            stride,  # type: ignore[arg-type]
            3,
            store=store,
            granule1=2,
            unit_words=2,
            align_words=16,
        )

    def exp_operand(self, free: int, k_block: int, store: bool = False) -> Operand:
        row = 4 * PANEL_ROW_WORDS
        strides = {free: row, 3: (self.f + self.f % 2) * row}
        stride = tuple(strides.get(dim, 0) for dim in range(4))
        name = f"exp {self.name}"
        return Operand(
            name,
            self.exp,
            stride,  # type: ignore[arg-type]
            free,
            store=store,
            granule3=k_block,
            unit_words=PANEL_ROW_WORDS,
            align_words=2 * PANEL_ROW_WORDS,
        )


def balance(a: Side, b: Side, part_a: Addr, part_b: Addr, out: Addr, rows: int) -> Task:
    """d_k from the partial exponents of both sides."""
    tiles_a, tiles_b = -(-a.f // rows), -(-b.f // rows)
    operands = (
        Operand("a_k", part_a, (0, 4 * a.k, 0, 4), 3),
        Operand("b_k", part_b, (0, 0, 4 * a.k, 4), 3),
        Operand("d", out, (0, 0, 0, 4), 3, store=True),
    )
    extent, tile = (1, tiles_a, tiles_b, a.k), (1, tiles_a, tiles_b, 32)
    return hand.placed(Task("BALANCE", extent, tile, operands, label="balance"))


def dot(a: Side, b: Side, tile: tuple[int, int, int], k_block: int) -> Task:
    """The dot over panels; the epilogue copies C out."""
    m, n = a.f, b.f
    operands = (
        a.panel_operand(1),
        b.panel_operand(2),
        a.exp_operand(1, k_block),
        b.exp_operand(2, k_block),
        a.original(1, lazy=True),
        b.original(2, lazy=True),
        Operand("c", Addr(SCRATCH), (0, 4 * n, 4, 0), 2, internal=True),
        hand.matrix("y", "result0", n, store=True),
    )
    task = Task(
        "DOT_S28",
        (1, m, n, a.k),
        (1, *tile),
        operands,
        (Instr("COPY", (7, 6)),),
        inner=3,
        k_block=k_block,
        label="dot",
        origin="gemm",
    )
    return hand.placed(task, half=None, double=False)
