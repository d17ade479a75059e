"""Up to four emulated chips for Python: single bus accesses at a cycle, code on cores, frames.

In: options per chip, costs, neighbours, accesses. Out: values, wait cycles, faults, frames. Tests
of the chip's parts use it; the board itself runs its chips in C.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from spindle.spec.costs import CHIP_CONSTANTS, CONSTANTS
from spindle.vboard.build import library

BUS_FAULT = 0xFFFF_FFFF
ALL_CORES = 0x3FFFF
NO_LINKS = (-1, -1, -1, -1, -1, -1)


class FaultCode(IntEnum):
    """Typed errors (enum chip_fault_code)."""

    UNSUPPORTED = 1
    UNDEFINED = 2
    UNTESTED = 3
    RACE = 4
    GUARD = 5


class _Struct(ctypes.Structure):
    """A C struct that can be filled by keyword."""


class ChipCosts(_Struct):
    """struct chip_costs: cycles, and DMA rates in 1/65536 byte per cycle."""

    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in (
            "packet_cycles",
            "hop_cycles",
            "link_short_cycles",
            "link_long_cycles",
            "sdram_word_cycles",
            "local_word_cycles",
            "dma_fixed_cycles",
            "dma_engine_rate",
            "dma_total_rate",
            "eth_rx_cycles_per_byte",
            "eth_tx_cycles_per_byte",
            "eth_latency_cycles",
        )
    )


class _Options(_Struct):
    _fields_ = (
        ("seed", ctypes.c_uint64),
        *(
            (name, ctypes.c_uint32)
            for name in (
                "x",
                "y",
                "index",
                "cores_ok",
                "links_up",
                "receiver_depth",
                "lose_rate",
                "quantum",
                "has_ethernet",
                "pristine",
                "allow_faults",
                "guard_base",
                "guard_size",
            )
        ),
    )


class _Fault(_Struct):
    _fields_ = (
        ("code", ctypes.c_uint32),
        ("core", ctypes.c_uint32),
        ("pc", ctypes.c_uint32),
        ("addr", ctypes.c_uint32),
        ("cycle", ctypes.c_uint64),
        ("count", ctypes.c_uint64),
    )


@dataclass(frozen=True)
class Fault:
    """Typed errors of one instruction: how many; address and cycle of the first."""

    code: FaultCode
    core: int
    pc: int
    addr: int
    cycle: int
    count: int


@dataclass(frozen=True)
class ChipOptions:
    """Options of one chip (struct chip_options); lose_rate is a probability."""

    seed: int = 1
    cores_ok: int = ALL_CORES
    receiver_depth: int = 1
    lose_rate: float = 0.0
    quantum: int = 0
    has_ethernet: bool = True
    pristine: bool = True
    allow_faults: bool = False
    guard_base: int = 0
    guard_size: int = 0


@dataclass(frozen=True)
class CoreState:
    """Lines and state of a core."""

    irq: bool
    fiq: bool
    asleep: bool
    held: bool
    failed: bool


@dataclass(frozen=True)
class RigOptions:
    """Chips and, per chip, the chip number behind each of its six links (-1: none)."""

    chips: tuple[ChipOptions, ...] = (ChipOptions(),)
    neighbours: tuple[tuple[int, ...], ...] = (NO_LINKS,)
    cost_set: str = "nominal"
    cost_changes: dict[str, int] = field(default_factory=dict)


def chip_costs(cost_set: str = "nominal") -> ChipCosts:
    """Return struct chip_costs of a set of spec/costs.py.

    >>> chip_costs().packet_cycles
    40
    """
    values = {c.name: float(getattr(c, cost_set)) for c in (*CONSTANTS, *CHIP_CONSTANTS)}
    values["dma_engine_rate"] = values["dma_bytes_per_cycle"] * 65536
    values["dma_total_rate"] = values["sdram_bytes_per_cycle"] * 65536
    names = [str(entry[0]) for entry in ChipCosts._fields_]
    return ChipCosts(*(int(values[name]) for name in names))


_U32, _U64, _PTR, _BOOL = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_bool
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "new": (_PTR, (_U32, _PTR, _PTR, _PTR)),
    "free": (None, (_PTR,)),
    "run": (None, (_PTR, _U64)),
    "hash": (_U64, (_PTR,)),
    "save": (_U64, (_PTR, _PTR, _U64)),
    "load": (_BOOL, (_PTR, _PTR, _U64)),
    "read": (_U32, (_PTR, _U32, _U32, _U64, _U32, _U32, _PTR)),
    "write": (_U32, (_PTR, _U32, _U32, _U64, _U32, _U32, _U32)),
    "start": (None, (_PTR, _U32, _U32, _U32, _U64)),
    "itcm": (_PTR, (_PTR, _U32, _U32)),
    "dtcm": (_PTR, (_PTR, _U32, _U32)),
    "cycles": (_U64, (_PTR, _U32, _U32)),
    "reg": (_U32, (_PTR, _U32, _U32, _U32)),
    "core_state": (_U32, (_PTR, _U32, _U32)),
    "rom_power_on": (None, (_PTR, _U32, _U32, _PTR)),
    "rom_load": (None, (_PTR, _U32, _PTR, _U32, _U64)),
    "memory_read": (_BOOL, (_PTR, _U32, _U32, _PTR, _U32)),
    "memory_write": (_BOOL, (_PTR, _U32, _U32, _PTR, _U32)),
    "faults": (_U32, (_PTR, _U32, _PTR)),
    "router_counts": (None, (_PTR, _U32, _PTR)),
    "ethernet_receive": (_BOOL, (_PTR, _U32, _U64, _PTR, _U32)),
    "frame": (_U32, (_PTR, _U32, _PTR, _PTR)),
    "timer_expiry": (_U64, (_PTR, _U32, _U32, _U32)),
}


def _functions() -> dict[str, ctypes._NamedFuncPointer]:
    found = {}
    for name, (result, arguments) in _SIGNATURES.items():
        function = library()[f"rig_{name}"]
        function.restype, function.argtypes = result, arguments
        found[name] = function
    return found


def _options_array(options: Sequence[ChipOptions], neighbours: Sequence[Sequence[int]]) -> object:
    rows = []
    for i, (chip, links) in enumerate(zip(options, neighbours, strict=True)):
        links_up = sum(1 << n for n, other in enumerate(links) if other >= 0)
        lose = int(chip.lose_rate * 2**32)
        numbers = (chip.cores_ok, links_up, chip.receiver_depth, lose, chip.quantum)
        flags = (chip.has_ethernet, chip.pristine, chip.allow_faults)
        rows.append(
            _Options(chip.seed, i, 0, i, *numbers, *flags, chip.guard_base, chip.guard_size)
        )
    return (_Options * len(rows))(*rows)


class Rig:
    """Chips without a host. Every access names chip, core and the cycle it happens at."""

    def __init__(self, options: RigOptions | None = None) -> None:
        """Power the chips on. Raises MemoryError."""
        options = options or RigOptions()
        self._c = _functions()
        costs = chip_costs(options.cost_set)
        for name, value in options.cost_changes.items():
            setattr(costs, name, value)
        links = [other for row in options.neighbours for other in row]
        neighbours = (ctypes.c_int32 * len(links))(*links)
        array = _options_array(options.chips, options.neighbours)
        self._rig = self._c["new"](len(options.chips), array, ctypes.byref(costs), neighbours)
        if not self._rig:
            raise MemoryError("no memory for the emulated chips")

    def close(self) -> None:
        """Free the chips; the object is dead afterwards."""
        if self._rig:
            self._c["free"](self._rig)
        self._rig = None

    def run(self, until: int) -> None:
        """Run all cores and events with time < until (cycles)."""
        self._c["run"](self._rig, until)

    def hash(self) -> int:
        """Hash of all that programs can see."""
        return int(self._c["hash"](self._rig))

    def save(self) -> bytes:
        """Everything that restore() needs to go on bit for bit."""
        size = self._c["save"](self._rig, None, 0)
        data = ctypes.create_string_buffer(size)
        self._c["save"](self._rig, data, size)
        return data.raw

    def restore(self, data: bytes) -> None:
        """Continue where another rig with the same options was saved. Raises ValueError."""
        if not self._c["load"](self._rig, data, len(data)):
            raise ValueError("the snapshot ends early")

    def read_wait(
        self, cycle: int, addr: int, core: int = 1, chip: int = 0, size: int = 4
    ) -> tuple[int, int]:
        """Load at a cycle; return (wait cycles or BUS_FAULT, value)."""
        value = ctypes.c_uint32()
        wait = self._c["read"](self._rig, chip, core, cycle, addr, size, ctypes.byref(value))
        return int(wait), value.value

    def read(self, cycle: int, addr: int, core: int = 1, chip: int = 0, size: int = 4) -> int:
        """Load at a cycle; return the value. Raises OSError at a bus error."""
        wait, value = self.read_wait(cycle, addr, core, chip, size)
        if wait == BUS_FAULT:
            raise OSError(f"bus error: read of 0x{addr:08x}")
        return value

    def write(
        self, cycle: int, addr: int, value: int, core: int = 1, chip: int = 0, size: int = 4
    ) -> int:
        """Store at a cycle; return the wait cycles. Raises OSError at a bus error."""
        wait = self._c["write"](self._rig, chip, core, cycle, addr, size, value)
        if wait == BUS_FAULT:
            raise OSError(f"bus error: write of 0x{addr:08x}")
        return int(wait)

    def load(
        self, code: bytes, core: int = 1, chip: int = 0, dtcm: bool = False, at: int = 0
    ) -> None:
        """Put bytes into ITCM (or DTCM) at an offset. Only before the core ran there."""
        base = self._c["dtcm" if dtcm else "itcm"](self._rig, chip, core)
        ctypes.memmove(base + at, code, len(code))

    def dtcm(self, core: int = 1, chip: int = 0, at: int = 0, size: int = 4) -> bytes:
        """Bytes of a core's DTCM."""
        return ctypes.string_at(self._c["dtcm"](self._rig, chip, core) + at, size)

    def start(self, cycle: int = 0, core: int = 1, chip: int = 0, pc: int = 0) -> None:
        """Start a core in SVC mode, interrupts off, low vectors."""
        self._c["start"](self._rig, chip, core, pc, cycle)

    def cycles(self, core: int = 1, chip: int = 0) -> int:
        """Local time of a core."""
        return int(self._c["cycles"](self._rig, chip, core))

    def reg(self, index: int, core: int = 1, chip: int = 0) -> int:
        """Register of a core; 15 is the pc."""
        return int(self._c["reg"](self._rig, chip, core, index))

    def state(self, core: int = 1, chip: int = 0) -> CoreState:
        """Lines and state of a core."""
        bits = self._c["core_state"](self._rig, chip, core)
        return CoreState(*(bool(bits >> i & 1) for i in range(5)))

    def rom_power_on(self, monitor: int, srom: bytes = bytes(32), chip: int = 0) -> None:
        """Leave the chip as its boot ROM does while it waits for an image."""
        self._c["rom_power_on"](self._rig, chip, monitor, srom)

    def rom_load(self, cycle: int, image: bytes, chip: int = 0) -> None:
        """Start the monitor with a boot image."""
        self._c["rom_load"](self._rig, chip, image, len(image), cycle)

    def peek(self, addr: int, size: int, chip: int = 0) -> bytes:
        """Memory behind the cores' backs."""
        data = ctypes.create_string_buffer(size)
        if not self._c["memory_read"](self._rig, chip, addr, data, size):
            raise OSError(f"0x{addr:08x} is no memory")
        return data.raw

    def poke(self, addr: int, data: bytes, chip: int = 0) -> None:
        """Store into memory behind the cores' backs."""
        if not self._c["memory_write"](self._rig, chip, addr, data, len(data)):
            raise OSError(f"0x{addr:08x} is no memory")

    def faults(self, chip: int = 0) -> list[Fault]:
        """Typed errors so far, one per code, core and instruction, at most 64."""
        array = (_Fault * 64)()
        count = self._c["faults"](self._rig, chip, array)
        return [
            Fault(FaultCode(f.code), f.core, f.pc, f.addr, f.cycle, f.count) for f in array[:count]
        ]

    def router_counts(self, chip: int = 0) -> tuple[int, int, int]:
        """Packets (routed, dropped, lost on purpose)."""
        counts = (ctypes.c_uint64 * 3)()
        self._c["router_counts"](self._rig, chip, counts)
        return counts[0], counts[1], counts[2]

    def ethernet_receive(self, cycle: int, frame: bytes, chip: int = 0) -> bool:
        """Hand a frame to the wire; False when the backlog is full."""
        return bool(self._c["ethernet_receive"](self._rig, chip, cycle, frame, len(frame)))

    def frames(self) -> list[tuple[int, bytes]]:
        """(cycle at which the host sees it, bytes) of every frame sent."""
        found: list[tuple[int, bytes]] = []
        time, data = ctypes.c_uint64(), ctypes.create_string_buffer(1536)
        while size := self._c["frame"](self._rig, len(found), ctypes.byref(time), data):
            found.append((time.value, data.raw[:size]))
        return found

    def timer_expiry(self, timer: int, core: int = 1, chip: int = 0) -> int:
        """Cycle at which a timer expires next."""
        return int(self._c["timer_expiry"](self._rig, chip, core, timer))
