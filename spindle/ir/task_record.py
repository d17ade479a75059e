"""Pack one Task of a Plan into the bytes that firmware reads (docs/spec/image.md).

In: a Task, and the slot number of each segment. Out: task record, operands, terms, instructions.
"""

from __future__ import annotations

from collections.abc import Callable

from spindle.errors import InternalError
from spindle.ir.plan import Addr, Instr, Operand, Task
from spindle.spec import records
from spindle.spec.records import FLAGS, NO_DIM
from spindle.spec.tables import KERNEL, PRIM

SlotOf = Callable[[str], int]


def pack_task(task: Task, slot_of: SlotOf = lambda segment: 0) -> bytes:
    """Return the task's bytes. Raises InternalError where a field does not fit its record."""
    try:
        head = records.TASK.pack(_task_fields(task))
        operands = b"".join(
            records.OPERAND.pack(_operand_fields(op, slot_of)) for op in task.operands
        )
        terms = b"".join(pack_terms(op.addr) for op in task.operands)
        program = b"".join(records.INSTR.pack(_instr_fields(i)) for i in task.program)
    except Exception as error:
        raise InternalError(f"task {task.label!r} does not fit its record: {error}") from error
    return head + operands + terms + program


def pack_terms(addr: Addr) -> bytes:
    """Loop-register terms of an address."""
    return b"".join(records.TERM.pack({"reg": reg, "stride": stride}) for reg, stride in addr.terms)


def addr_fields(addr: Addr, slot_of: SlotOf) -> dict[str, int]:
    """Fields of an `addr` record."""
    return {
        "slot": slot_of(addr.segment),
        "offset": addr.offset,
        "n_terms": len(addr.terms),
    }


def _task_fields(task: Task) -> dict[str, object]:
    return {
        "kernel": KERNEL[task.kernel],
        "n_operands": len(task.operands),
        "n_terms": sum(len(op.addr.terms) for op in task.operands),
        "n_temps": task.n_temps,
        "n_instrs": len(task.program),
        "n_prologue": task.n_prologue,
        "flags": FLAGS["TASK"]["EXCLUSIVE"] if task.exclusive else 0,
        "inner": NO_DIM if task.inner is None else task.inner,
        "lane_first": task.lane_first,
        "extent": task.extent,
        "tile": task.tile,
        "k_block": task.k_block,
        "arg": task.arg,
        "work": task.work,
        "temps": task.temps,
    }


def _operand_fields(operand: Operand, slot_of: SlotOf) -> dict[str, object]:
    flags = FLAGS["OPERAND"]
    return {
        "addr": addr_fields(operand.addr, slot_of),
        "stride": operand.stride,
        "granule1": operand.granule1,
        "granule3": operand.granule3,
        "fast": NO_DIM if operand.fast is None else operand.fast,
        "flags": (flags["STORE"] if operand.store else 0)
        | (flags["LAZY"] if operand.lazy else 0)
        | (flags["INTERNAL"] if operand.internal else 0),
        "unit_words": operand.unit_words,
        "align_words": operand.align_words,
        "dtcm": operand.dtcm,
        "buffer": operand.buffer,
    }


def _instr_fields(instr: Instr) -> dict[str, object]:
    return {"prim": PRIM[instr.prim], "reg": instr.reg, "imm": instr.imm}
