"""A readable listing of an Image: what its program stream says, entry by entry.

In: an Image. Out: text, one line per entry, operand and strip instruction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from spindle.image.image import Image
from spindle.spec import records, tables

_KINDS = {number: name for name, number in records.FLAGS["STEP"].items()}
_BARRIER = records.FLAGS["STEP_FLAG"]["BARRIER"]


def disassemble(image: Image) -> str:
    """List the program stream."""
    lines = [_summary(image)]
    for offset, step in entries(image.program):
        lines += _entry(image, offset, step)
    return "\n".join(lines) + "\n"


def entries(program: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (stream offset, unpacked step header) of each entry."""
    offset = 0
    while offset < len(program):
        step = records.STEP.unpack(program, offset)
        yield offset, step
        offset += max(step["size"], records.STEP.size)


def _summary(image: Image) -> str:
    args = ", ".join(map(str, image.args))
    results = ", ".join(map(str, image.results))
    sizes = f"program {len(image.program)} B, const {len(image.const)} B"
    return (
        f"image {image.name} abi 0x{image.abi_hash:08x}: ({args}) -> ({results});"
        f" {sizes}, scratch {image.scratch_bytes} B"
    )


def _entry(image: Image, offset: int, step: dict[str, Any]) -> list[str]:
    kind = _KINDS.get(step["kind"], f"kind {step['kind']}")
    barrier = " barrier" if step["flags"] & _BARRIER else ""
    head = f"{offset:6d} #{step['id']} {kind}"
    payload = offset + records.STEP.size
    if kind == "END":
        return [head]
    if kind != "TASK":
        return [f"{head} {_control(image, kind, step['reg'], payload)}{barrier}"]
    info = image.steps[step["id"]]
    task = records.TASK.unpack(image.program, payload)
    lines = [f"{head} {_task(task)}{barrier}  {info.label} {info.loc}".rstrip()]
    return lines + _task_body(image, task, payload + records.TASK.size)


def _control(image: Image, kind: str, reg: int, offset: int) -> str:
    control = records.CONTROL.unpack(image.program, offset)
    addr, _ = _addr(image, control["addr"], offset + records.CONTROL.size)
    if kind == "SET_REG":
        return f"r{reg} = clamp([{addr}], {control['lo']}, {control['hi']})"
    if kind == "BRANCH":
        return f"to {control['target']} where [{addr}] = 0"
    return f"r{reg} count {control['count']} target {control['target']}"


def _addr(image: Image, addr: dict[str, int], terms_at: int) -> tuple[str, int]:
    text = f"{_slot(image, addr['slot'])}+{addr['offset']}"
    for _ in range(addr["n_terms"]):
        term = records.TERM.unpack(image.program, terms_at)
        text += f"+{term['stride']}*r{term['reg']}"
        terms_at += records.TERM.size
    return text, terms_at


def _slot(image: Image, slot: int) -> str:
    if slot < 2:
        return ("const", "scratch")[slot]
    index = slot - 2
    return f"arg{index}" if index < len(image.args) else f"result{index - len(image.args)}"


def _task(task: dict[str, Any]) -> str:
    kernel = tables.KERNELS[task["kernel"]][0]
    inner = "" if task["inner"] == records.NO_DIM else f" inner {task['inner']}"
    extra = f" k_block {task['k_block']}" if task["k_block"] else ""
    exclusive = " exclusive" if task["flags"] else ""
    extent, tile = (",".join(map(str, task[name])) for name in ("extent", "tile"))
    work = f" work {task['work']}+{task['temps']}"
    return f"{kernel} [{extent}] by [{tile}]{inner}{extra}{work}{exclusive}"


def _task_body(image: Image, task: dict[str, Any], offset: int) -> list[str]:
    terms_at = offset + task["n_operands"] * records.OPERAND.size
    lines = []
    for i in range(task["n_operands"]):
        op = records.OPERAND.unpack(image.program, offset + i * records.OPERAND.size)
        addr, terms_at = _addr(image, op["addr"], terms_at)
        lines.append(_operand(i, op, addr))
    for i in range(task["n_instrs"]):
        instr = records.INSTR.unpack(image.program, terms_at + i * records.INSTR.size)
        mark = "p" if i < task["n_prologue"] else " "
        lines.append(f"         {mark} {_instr(instr)}")
    return lines


def _operand(index: int, op: dict[str, Any], addr: str) -> str:
    flags = "".join(f" {n}" for n, bit in records.FLAGS["OPERAND"].items() if op["flags"] & bit)
    fast = "-" if op["fast"] == records.NO_DIM else op["fast"]
    strides = ",".join(map(str, op["stride"]))
    shape = f"stride [{strides}] fast {fast} unit {op['unit_words']} align {op['align_words']}"
    granules = f" granules {op['granule1']},{op['granule3']}"
    if op["granule1"] == op["granule3"] == 1:
        granules = ""
    return f"         r{index} {addr} {shape}{granules} dtcm {op['dtcm']}/{op['buffer']}{flags}"


def _instr(instr: dict[str, Any]) -> str:
    name = tables.PRIMITIVES[instr["prim"]].name
    registers = " ".join(f"r{reg}" for reg in instr["reg"])
    return f"{name} {registers} 0x{instr['imm']:08x}"
