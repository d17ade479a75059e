"""Pack one Task of a Plan into the bytes that firmware reads (docs/spec/image.md).

In: a Task, and the slot number of each segment. Out: task record, operands, terms, instructions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spindle.errors import InternalError
from spindle.ir.plan import Addr, Instr, Operand, Task
from spindle.spec import records, tables

Slots = Mapping[str, int]

_FIELD_MAX = {"u8": 0xFF, "u16": 0xFFFF, "u32": 0xFFFFFFFF, "i32": 0x7FFFFFFF}


def task_bytes(task: Task) -> int:
    """Bytes of `pack_task`."""
    n_terms = sum(len(op.addr.terms) for op in task.operands)
    size = records.TASK.size + records.OPERAND.size * len(task.operands)
    return size + records.TERM.size * n_terms + records.INSTR.size * len(task.program)


def pack_task(task: Task, slots: Slots | None = None) -> bytes:
    """Return the task's record, operands, terms and instructions.

    slots: binding slot of each segment; None where addresses do not matter (cost formulas).
    Raises InternalError, naming the task, where a record's limit is passed.
    """
    _check_limits(task)
    out = pack_checked(records.TASK, _task_values(task), task.label)
    for op in task.operands:
        out += pack_checked(records.OPERAND, _operand_values(task, op, slots), task.label)
    for op in task.operands:
        out += pack_terms(op.addr)
    return out + b"".join(_pack_instr(instr, task.label) for instr in task.program)


def _check_limits(task: Task) -> None:
    limits = (
        ("operands", len(task.operands), records.MAX_OPERANDS),
        ("temporaries", task.n_temps, records.MAX_TEMPS),
        ("lane_first", task.lane_first, records.LANES - 1),
        ("prologue instructions", task.n_prologue, len(task.program)),
        ("tile along dim 0", task.tile[0], 1),
    )
    for what, value, limit in limits:
        if value > limit:
            raise InternalError(f"{task.label}: {what} {value}, the limit is {limit}")
    if task.kernel not in tables.KERNEL:
        raise InternalError(f"{task.label}: kernel {task.kernel!r} does not exist")


def _task_values(task: Task) -> dict[str, Any]:
    return {
        "kernel": tables.KERNEL[task.kernel],
        "n_operands": len(task.operands),
        "n_terms": sum(len(op.addr.terms) for op in task.operands),
        "n_temps": task.n_temps,
        "n_instrs": len(task.program),
        "n_prologue": task.n_prologue,
        "flags": records.FLAGS["TASK"]["EXCLUSIVE"] * task.exclusive,
        "inner": _dim(task.inner),
        "lane_first": task.lane_first,
        "extent": task.extent,
        "tile": task.tile,
        "k_block": task.k_block,
        "arg": task.arg,
        "work": task.work,
        "temps": task.temps,
    }


def _dim(dim: int | None) -> int:
    return records.NO_DIM if dim is None else dim


def _operand_values(task: Task, op: Operand, slots: Slots | None) -> dict[str, Any]:
    flags = records.FLAGS["OPERAND"]
    return {
        "addr": addr_fields(
            op.addr, None if op.internal else slots, f"{task.label}, operand {op.name}"
        ),
        "stride": op.stride,
        "granule1": op.granule1,
        "granule3": op.granule3,
        "fast": _dim(op.fast),
        "flags": flags["STORE"] * op.store
        + flags["LAZY"] * op.lazy
        + flags["INTERNAL"] * op.internal
        + flags["RESIDENT"] * op.resident,
        "unit_words": op.unit_words,
        "align_words": op.align_words,
        "dtcm": op.dtcm,
        "buffer": op.buffer,
    }


def addr_fields(addr: Addr, slots: Slots | None, where: str) -> dict[str, int]:
    """Fields of an addr record; where: for messages."""
    if len(addr.terms) > records.MAX_TERMS:
        raise InternalError(
            f"{where}: {len(addr.terms)} address terms, the limit is {records.MAX_TERMS}"
        )
    if slots is not None and addr.segment not in slots:
        raise InternalError(f"{where}: segment {addr.segment!r} does not exist")
    return {
        "offset": addr.offset,
        "slot": 0 if slots is None else slots[addr.segment],
        "n_terms": len(addr.terms),
    }


def pack_terms(addr: Addr) -> bytes:
    """Loop-register terms of an address."""
    return b"".join(records.TERM.pack({"reg": r, "stride": s}) for r, s in addr.terms)


def _pack_instr(instr: Instr, label: str) -> bytes:
    if instr.prim not in tables.PRIM:
        raise InternalError(f"{label}: primitive {instr.prim!r} does not exist")
    values = {"prim": tables.PRIM[instr.prim], "reg": instr.reg, "imm": instr.imm & 0xFFFFFFFF}
    return pack_checked(records.INSTR, values, label)


def pack_checked(record: records.Record, values: dict[str, Any], where: str) -> bytes:
    """Pack, after checking ranges and counts of plain fields; where: for the message."""
    for spec in record.fields:
        if spec.type in records.RECORDS:
            continue
        value = values.get(spec.name, 0)
        items = value if isinstance(value, tuple) else (value,)
        low = -(1 << 31) if spec.type == "i32" else 0
        if len(items) > spec.count or any(not low <= v <= _FIELD_MAX[spec.type] for v in items):
            raise InternalError(f"{where}: {record.name}.{spec.name} = {value} does not fit")
    return record.pack(values)
