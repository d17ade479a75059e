"""Text form of a Plan, for people and dumps: one line per step, operand and strip instruction."""

from __future__ import annotations

from spindle.ir.plan import Loop, Operand, Plan, SetReg, Step, Task, TaskStep


def to_text(plan: Plan) -> str:
    """List a Plan.

    >>> print(to_text(Plan("empty", (), (), (), {}, b"", 0)), end="")
    plan empty: () -> (); const 0 B, scratch 0 B
    """
    args = ", ".join(map(str, plan.args))
    results = ", ".join(map(str, plan.results))
    sizes = f"const {len(plan.const)} B, scratch {plan.scratch_bytes} B"
    lines = [f"plan {plan.name}: ({args}) -> ({results}); {sizes}"]
    lines += [f"  result{r} lives in arg{a}" for r, a in sorted(plan.donated.items())]
    for step in plan.steps:
        lines += _step(step, "  ")
    return "\n".join(lines) + "\n"


def _step(step: Step, indent: str) -> list[str]:
    if isinstance(step, TaskStep):
        return _task(step.task, step.barrier, indent)
    if isinstance(step, SetReg):
        return [f"{indent}r{step.reg} = clamp([{step.addr}], {step.lo}, {step.hi})"]
    if isinstance(step, Loop):
        head = f"{indent}loop r{step.reg} < {step.count} {step.label}".rstrip()
        return [head, *_body(step.body, indent)]
    head = f"{indent}while {step.label}".rstrip()
    leave = f"{indent}  leave where [{step.addr}] = 0"
    return [head, *_body(step.cond, indent), leave, *_body(step.body, indent)]


def _body(steps: tuple[Step, ...], indent: str) -> list[str]:
    return [line for step in steps for line in _step(step, indent + "  ")]


def _task(task: Task, barrier: bool, indent: str) -> list[str]:
    extent, tile = (",".join(map(str, dims)) for dims in (task.extent, task.tile))
    head = f"{indent}{task.kernel} [{extent}] by [{tile}]"
    head += "" if task.inner is None else f" inner {task.inner}"
    head += f" k_block {task.k_block}" if task.k_block else ""
    head += f" arg {task.arg}" if task.arg else ""
    head += f" first lane {task.lane_first}" if task.lane_first else ""
    head += f" work {task.work} temps {task.temps}+{task.n_temps}"
    head += " exclusive" * task.exclusive + " barrier" * barrier
    lines = [f"{head}  ; {task.origin} {task.label} {task.loc}".rstrip()]
    lines += [f"{indent}  r{i} {_operand(op)}" for i, op in enumerate(task.operands)]
    for i, instr in enumerate(task.program):
        mark = "once" if i < task.n_prologue else "    "
        registers = " ".join(f"r{reg}" for reg in instr.reg)
        lines.append(f"{indent}  {mark} {instr.prim} {registers} 0x{instr.imm & 0xFFFFFFFF:08x}")
    return lines


def _operand(op: Operand) -> str:
    marks = "".join(
        f" {name}"
        for name, on in (("store", op.store), ("lazy", op.lazy), ("internal", op.internal))
        if on
    )
    granules = f" granules {op.granule1},{op.granule3}"
    if op.granule1 == op.granule3 == 1:
        granules = ""
    unit = f" unit {op.unit_words} align {op.align_words}"
    if op.unit_words == op.align_words == 1:
        unit = ""
    fast = "-" if op.fast is None else op.fast
    strides = ",".join(map(str, op.stride))
    place = f"{op.addr} stride [{strides}] fast {fast}"
    return f"{op.name} {place}{unit}{granules} dtcm {op.dtcm}/{op.buffer}{marks}"
