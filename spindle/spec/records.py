"""Every struct shared between Python and C, written once; the C header is generated from here.

Little-endian, packed by hand: fields are naturally aligned, so the C struct has no holes (the
header asserts size and offsets). docs/spec/image.md explains what the fields mean.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

MAX_DIMS = 4
MAX_TERMS = 4
MAX_OPERANDS = 16
MAX_TEMPS = 32
STRIP = 64
"""Elements per strip: a strip register is 64 words."""
LANES = 16
LOOP_REGS = 16
CHUNK = 8
"""A panel's rows are padded to a multiple of so many k (docs/spec/image.md, panels)."""
PANEL_ROW_WORDS = 4
"""Exponent and correction of a panel's row, per K-block (firmware/kernels/panel.h)."""
MAX_GROUPS = 8
"""Kernel groups with an overlay."""
NO_DIM = 255
NO_PLACE = 255

_CODES = {"u8": "B", "u16": "H", "u32": "I", "i32": "i"}
_C_TYPES = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "i32": "int32_t"}
_SIZES = {"u8": 1, "u16": 2, "u32": 4, "i32": 4}


@dataclass(frozen=True)
class Field:
    """One field: C element type, count (1 is a scalar), meaning. `type` may name a Record."""

    name: str
    type: str
    count: int = 1
    doc: str = ""


@dataclass(frozen=True)
class Record:
    """A packed little-endian struct."""

    name: str
    fields: tuple[Field, ...]
    doc: str = ""

    @cached_property
    def format(self) -> str:
        """Code for the struct module, without byte order."""
        return "".join(_field_format(field) for field in self.fields)

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return struct.calcsize("<" + self.format)

    def offset(self, name: str) -> int:
        """Bytes from the record's start to a field."""
        index = [field.name for field in self.fields].index(name)
        return Record("", self.fields[:index]).size

    def pack(self, values: Mapping[str, Any]) -> bytes:
        """Pack a mapping of field names; a missing field is zero. Raises KeyError on an unknown."""
        return self._struct.pack(*self._flat(values))

    @cached_property
    def _struct(self) -> struct.Struct:
        return struct.Struct("<" + self.format)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(field.name for field in self.fields)

    def _flat(self, values: Mapping[str, Any]) -> list[int]:
        """Numbers in order, nested records' among them."""
        if not self._names.issuperset(values):
            raise KeyError(f"{self.name} has no field {sorted(set(values) - self._names)}")
        out: list[int] = []
        for field in self.fields:
            out += _flat_field(field, values.get(field.name))
        return out

    def unpack(self, data: bytes | memoryview, offset: int = 0) -> dict[str, Any]:
        """Read the record at `offset` into a dict of ints, tuples and nested dicts."""
        values: dict[str, Any] = {}
        for field in self.fields:
            values[field.name], offset = _unpack_field(field, data, offset)
        return values


def _field_format(field: Field) -> str:
    if field.type in RECORDS:
        return RECORDS[field.type].format * field.count
    return f"{field.count}{_CODES[field.type]}"


def _flat_field(field: Field, value: Any) -> list[int]:
    if field.type in RECORDS:
        record = RECORDS[field.type]
        items = [value or {}] if field.count == 1 else list(value or ())
        items += [{}] * (field.count - len(items))
        return [number for item in items for number in record._flat(item)]
    if field.count == 1:
        return [value or 0]
    numbers = list(value or ())
    return numbers + [0] * (field.count - len(numbers))


def _unpack_field(field: Field, data: bytes | memoryview, offset: int) -> tuple[Any, int]:
    if field.type in RECORDS:
        inner = RECORDS[field.type]
        items = tuple(inner.unpack(data, offset + i * inner.size) for i in range(field.count))
        return (items[0] if field.count == 1 else items), offset + inner.size * field.count
    items = struct.unpack_from(f"<{field.count}{_CODES[field.type]}", data, offset)
    return (items[0] if field.count == 1 else items), offset + _SIZES[field.type] * field.count


RECORDS: dict[str, Record] = {}


def _record(name: str, doc: str, *fields: Field) -> Record:
    RECORDS[name] = Record(name, fields, doc)
    return RECORDS[name]


TERM = _record(
    "term",
    "Adds stride * loop register to an address.",
    Field("reg", "u32", 1, "loop register"),
    Field("stride", "i32", 1, "bytes per unit of the register"),
)

ADDR = _record(
    "addr",
    "A place in a segment: binding[slot] + offset + its terms.",
    Field("offset", "i32", 1, "bytes"),
    Field("slot", "u16", 1, "word of the binding table: 0 const, 1 scratch, then args, results"),
    Field("n_terms", "u16", 1, "terms, in the record's term list"),
)

OPERAND = _record(
    "operand",
    "One tensor of a task, seen as up to four dims; a tile of it lies dense in DTCM.",
    Field("addr", "addr", 1, "element (0, 0, 0, 0)"),
    Field("stride", "i32", MAX_DIMS, "SDRAM bytes per granule of each dim; 0: not indexed by it"),
    Field("granule1", "u16", 1, "indices of dim 1, or 2, that share one place; 1 for most"),
    Field("granule3", "u16", 1, "the same of dim 3"),
    Field("fast", "u8", 1, "dim contiguous in SDRAM and DTCM, or NO_DIM: one unit per row"),
    Field("flags", "u8", 1, "OPERAND_*"),
    Field("unit_words", "u8", 1, "words per index of the fast dim"),
    Field("align_words", "u8", 1, "a row's words are rounded up to this"),
    Field("dtcm", "u16", 1, "first buffer, words from the tile arena's start"),
    Field("buffer", "u16", 1, "second buffer is this many words further; 0: one buffer"),
)

INSTR = _record(
    "instr",
    "One strip instruction: registers 0..15 are operands, 16..47 temporaries.",
    Field("prim", "u8", 1, "PRIM_*"),
    Field("reg", "u8", 3, "destination, then sources"),
    Field("imm", "u32", 1, "constant bits, a further source, or as the primitive says"),
)

TASK = _record(
    "task",
    "A loop nest over tiles. Operands, their terms in order, and strip instructions follow it.",
    Field("kernel", "u8", 1, "KERNEL_*"),
    Field("n_operands", "u8"),
    Field("n_terms", "u8", 1, "of all operands together"),
    Field("n_temps", "u8", 1, "strip temporaries, 64 words each"),
    Field("n_instrs", "u16", 1, "strip instructions"),
    Field("n_prologue", "u16", 1, "of these, the first ones run once per tile"),
    Field("flags", "u16", 1, "TASK_*"),
    Field("inner", "u8", 1, "dim whose tiles one lane runs in order, keeping state; or NO_DIM"),
    Field("lane_first", "u8", 1, "lane of tile 0"),
    Field("extent", "u32", MAX_DIMS, "indices per dim"),
    Field("tile", "u16", MAX_DIMS, "indices per tile; tile[0] is 1"),
    Field("k_block", "u32", 1, "dots and quantising: indices per K-block"),
    Field("arg", "u32", 1, "as the kernel says"),
    Field("work", "u16", 1, "workspace, words from the tile arena's start"),
    Field("temps", "u16", 1, "strip temporaries, words from the workspace's start"),
)

STEP = _record(
    "step",
    "Header of one entry of the program stream; a task or a control record follows it.",
    Field("kind", "u8", 1, "STEP_*"),
    Field("flags", "u8", 1, "STEP_FLAG_*"),
    Field("reg", "u16", 1, "loop register of LOOP, LOOP_END, SET_REG"),
    Field("size", "u16", 1, "bytes of this entry, header included; multiple of 4"),
    Field("next_size", "u16", 1, "bytes of the entry that follows in the stream, for prefetch"),
    Field("id", "u32", 1, "step number in the Plan, for profile and faults"),
)

CONTROL = _record(
    "control",
    "What LOOP, LOOP_END, SET_REG and BRANCH need; the address's terms follow.",
    Field("target", "u32", 1, "stream offset: LOOP past its end, LOOP_END first of body, BRANCH"),
    Field("target_size", "u32", 1, "bytes of the entry there"),
    Field("count", "u32", 1, "LOOP: trips"),
    Field("lo", "i32", 1, "SET_REG: lower clamp"),
    Field("hi", "i32", 1, "SET_REG: upper clamp"),
    Field("addr", "addr", 1, "SET_REG, BRANCH (taken when 0): a word in SDRAM"),
)

COMMAND = _record(
    "command",
    "One launch: an entry of the command ring (docs/spec/run.md).",
    Field("sequence", "u32", 1, "increases by one per launch"),
    Field("image_id", "u32", 1, "which loaded Image"),
    Field("program", "u32", 1, "SDRAM address of the program stream"),
    Field("program_bytes", "u32"),
    Field("entry", "u32", 1, "stream offset of the first step"),
    Field("binding", "u32", 1, "SDRAM address of the binding table, one word per slot"),
    Field("n_slots", "u32", 1, "words of the binding table"),
    Field("profile", "u32", 1, "SDRAM address of profile records, one per step and lane; 0: none"),
    Field("flags", "u32"),
    Field("reserved", "u32", 6, ""),
    Field("crc", "u32", 1, "CRC-32 of the words before"),
)

FAULT = _record(
    "fault",
    "What a core says before it stops.",
    Field("code", "u32", 1, "FAULT_*; 0 is none"),
    Field("lane", "u32"),
    Field("pc", "u32", 1, "ARM: program counter; native: stream offset"),
    Field("step", "u32", 1, "step id"),
    Field("word", "u32", 2, "as the code says"),
)

STATUS = _record(
    "status",
    "Per chip, 128 bytes in the arena: what the host looks at after silence.",
    Field("last_started", "u32", 1, "sequence"),
    Field("last_done", "u32", 1, "sequence"),
    Field("step", "u32", 1, "step id of lane 0, updated at barriers"),
    Field("abort", "u32", 1, "host writes 1; lanes leave at the next tile"),
    Field("cycles", "u32", 1, "of the last launch, doorbell taken to last lane done"),
    Field("packets_sent", "u32"),
    Field("packets_received", "u32"),
    Field("packets_resent", "u32"),
    Field("nonfinite", "u32", 1, "dot outputs decided by the non-finite rule"),
    Field("fault", "fault", 1, "first fault"),
    Field("stop", "u32", 1, "sequence of the launch that a lane's fault has stopped"),
    Field("crashed", "u32", 1, "virtual core that stopped for good, + 1; 0: none"),
    Field("reserved", "u32", 15, ""),
)

OVERLAY = _record(
    "overlay",
    "Where a kernel group's code lies in SDRAM, to be copied into the overlay window.",
    Field("address", "u32", 1, "0: no code"),
    Field("bytes", "u32", 1, "multiple of 32"),
    Field("check", "u32", 1, "complement of the sum of its words"),
)

SESSION = _record(
    "session",
    "What differs per chip, at the arena's start; the firmware reads it once (docs/spec/run.md).",
    Field("magic", "u32", 1, "SESSION_MAGIC"),
    Field("abi_hash", "u32", 1, "of the host"),
    Field("arena", "u32", 1, "SDRAM address of this record"),
    Field("arena_bytes", "u32"),
    Field("rank", "u32", 1, "number of the chip in the machine"),
    Field("n_chips", "u32"),
    Field("mesh", "u16", 2, "x and y of the chip"),
    Field("root", "u16", 2, "x and y of the chip that pushes completions"),
    Field("n_places", "u32", 1, "cores that run lanes: place p runs lanes p, p + n_places, ..."),
    Field("service", "u32", 1, "virtual core that takes doorbells; root of the barrier"),
    Field("tag", "u32", 1, "fixed IP tag of completions"),
    Field("place_core", "u8", 16, "virtual core of each place"),
    Field("neighbour_key", "u32", 6, "for links 0..5; 0: none"),
    Field("overlay", "overlay", MAX_GROUPS, "of group g + 1; group 0 is resident"),
    Field("reserved", "u32", 43 - 3 * MAX_GROUPS, ""),
)

CORE = _record(
    "core",
    "What one core says of itself; in the arena, by virtual core.",
    Field("state", "u32", 1, "CORE_*"),
    Field("place", "u32", 1, "NO_PLACE: none"),
    Field("sequence", "u32", 1, "of the launch it runs or ran last"),
    Field("sent", "u32", 1, "deliveries of barrier packets it caused, since open, without asks"),
    Field("received", "u32", 1, "barrier packets, since open, without asks"),
    Field("resent", "u32", 1, "of those sent: because somebody asked"),
    Field("asked", "u32", 1, "packets that asked for a missing one"),
    Field("nonfinite", "u32", 1, "of the launch: outputs decided by the non-finite rule"),
    Field("fault_sequence", "u32", 1, "launch of the fault below"),
    Field("fault", "fault", 1, "first of that launch"),
    Field("reserved", "u32", 17, ""),
)

PROFILE = _record(
    "profile",
    "What one lane spent in one step, added up over a launch.",
    Field("cycles", "u32", 1, "from the step's start to its end on this lane, barrier excluded"),
    Field("compute", "u32", 1, "of these, in kernels"),
    Field("dma_wait", "u32", 1, "of these, waiting for transfers"),
    Field("dma_bytes", "u32", 1, "read and written"),
    Field("barrier", "u32", 1, "waiting for other lanes and for the barrier itself"),
    Field("runs", "u32", 1, "times the step ran"),
    Field("nonfinite", "u32", 1, "dot outputs decided by the non-finite rule"),
    Field("tiles", "u32"),
)

FLAGS: dict[str, dict[str, int]] = {
    "OPERAND": {"STORE": 1, "LAZY": 2, "INTERNAL": 4, "RESIDENT": 8},
    "TASK": {"EXCLUSIVE": 1},
    "STEP_FLAG": {"BARRIER": 1},
    "STEP": {"END": 0, "TASK": 1, "LOOP": 2, "LOOP_END": 3, "SET_REG": 4, "BRANCH": 5},
    "FAULT": {
        "NONE": 0,
        "GUARD": 1,
        "BAD_STEP": 2,
        "BAD_KERNEL": 3,
        "BAD_ADDRESS": 4,
        "BAD_CRC": 5,
        "ABORTED": 6,
        "DMA": 7,
        "CORE": 8,
        "BARRIER": 9,
        "OVERLAY": 10,
    },
    "CORE": {"NONE": 0, "IDLE": 1, "RUN": 2, "CRASHED": 3, "UNUSED": 4},
}

FLAG_DOCS = {
    "OPERAND": "STORE: written after the tile (after the last inner tile where inner does not index"
    " it). LAZY: loaded only by the rescue of non-finite dots. INTERNAL: lives in DTCM only."
    " RESIDENT: already in DTCM where the core runs one lane only, else loaded.",
    "TASK": "EXCLUSIVE: uses the whole tile arena: nothing of the next task is prefetched.",
    "STEP_FLAG": "BARRIER: all lanes meet after this step.",
    "STEP": "kinds",
    "FAULT": "codes",
    "CORE": "states of a core record",
}


def c_type(name: str) -> str:
    """C spelling of a field type."""
    return _C_TYPES.get(name, f"struct {name}")
