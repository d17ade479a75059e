"""One emulated ARM968 core for Python: tests, benches, a debugger's eye.

In: code and data bytes for the TCMs, a Bus for everything else. Out: registers, memory, cycles. The
board itself drives its cores in C; nothing here runs while a board does.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from spindle.vboard.build import library

ITCM_SIZE = 0x8000
DTCM_BASE = 0x0040_0000
DTCM_SIZE = 0x1_0000
BUS_FAULT = 0xFFFF_FFFF
CPSR_T, CPSR_F, CPSR_I = 0x20, 0x40, 0x80


class Result(IntEnum):
    """Why a run ended (enum arm_result)."""

    DONE = 0
    ASLEEP = 1
    STOPPED = 2
    FAILED = 3


class Bus(Protocol):
    """Everything outside the TCMs. Wait cycles are those beyond the first; BUS_FAULT aborts."""

    def read(self, core: Core, addr: int, size: int) -> tuple[int, int]:
        """Return (wait cycles, value) of an aligned read of 1, 2 or 4 bytes."""

    def write(self, core: Core, addr: int, size: int, value: int) -> int:
        """Store; return wait cycles."""

    def fetch(self, core: Core, addr: int, size: int) -> tuple[int, int]:
        """Return (wait cycles, instruction word)."""

    def watch(self, core: Core, addr: int, size: int, is_write: bool) -> None:
        """Take note of an access to a watched TCM range."""

    def exception(self, core: Core, vector: int) -> None:
        """Take note of an undefined instruction or abort."""


_U32, _U64, _PTR = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p
_U32P = ctypes.POINTER(ctypes.c_uint32)
_Word = ctypes.Array[ctypes.c_uint32]
_READ = ctypes.CFUNCTYPE(_U32, _PTR, _PTR, _U32, _U32, _U32P)
_WRITE = ctypes.CFUNCTYPE(_U32, _PTR, _PTR, _U32, _U32, _U32)
_WATCH = ctypes.CFUNCTYPE(None, _PTR, _PTR, _U32, _U32, ctypes.c_bool)
_EXCEPTION = ctypes.CFUNCTYPE(None, _PTR, _PTR, _U32)
_TRACE = ctypes.CFUNCTYPE(None, _PTR, _PTR)


class _BusStruct(ctypes.Structure):
    _fields_ = (
        ("read", _READ),
        ("write", _WRITE),
        ("fetch", _READ),
        ("watch", _WATCH),
        ("exception", _EXCEPTION),
    )


_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "new": (_PTR, (_PTR, _PTR)),
    "free": (None, (_PTR,)),
    "itcm": (_PTR, (_PTR,)),
    "dtcm": (_PTR, (_PTR,)),
    "cycles": (_U64, (_PTR,)),
    "set_cycles": (None, (_PTR, _U64)),
    "instructions": (_U64, (_PTR,)),
    "error": (_U32, (_PTR, _U32P, _U32P)),
    "clear_error": (None, (_PTR,)),
    "set_trace": (None, (_PTR, _PTR)),
    "reg": (_U32, (_PTR, _U32)),
    "set_reg": (None, (_PTR, _U32, _U32)),
    "cpsr": (_U32, (_PTR,)),
    "set_cpsr": (None, (_PTR, _U32)),
    "spsr": (_U32, (_PTR,)),
    "set_spsr": (None, (_PTR, _U32)),
    "cp15": (_U32, (_PTR,)),
    "set_cp15": (None, (_PTR, _U32)),
    "run": (_U32, (_PTR, _U64)),
    "reset": (None, (_PTR, ctypes.c_bool)),
    "copy_state": (None, (_PTR, _PTR)),
    "set_irq": (None, (_PTR, ctypes.c_bool, _U64)),
    "set_fiq": (None, (_PTR, ctypes.c_bool, _U64)),
    "stop_at": (None, (_PTR, _U64)),
    "stop": (None, (_PTR,)),
    "fail": (None, (_PTR, _U32)),
    "invalidate": (None, (_PTR, _U32, _U32)),
    "watch": (ctypes.c_int, (_PTR, _U32, _U32)),
    "unwatch": (None, (_PTR, ctypes.c_int)),
    "disassemble": (None, (_U32, _U32, ctypes.c_bool, ctypes.c_char_p, ctypes.c_size_t)),
    "rotate": (None, (_PTR, _U32, _U64, _U64)),
}


def _call(name: str, *arguments: object) -> int:
    function = getattr(library(), f"arm_host_{name}")
    if function.argtypes is None:
        function.restype, function.argtypes = _SIGNATURES[name]
    result = function(*arguments)
    return 0 if result is None else int(result)


def _done(call: Callable[..., object], *arguments: object) -> int:
    call(*arguments)
    return 0


class Core:
    """A core with its TCMs. Reset state: SVC, I = F = 1, pc 0, low vectors, alignment unchecked.

    Errors raised by a Bus method do not cross C; they are kept and raised by the next run().
    """

    def __init__(self, bus: Bus | None = None) -> None:
        self._bus = bus
        self._raised: BaseException | None = None
        self._struct = _BusStruct(
            _READ(self._read),
            _WRITE(self._write),
            _READ(self._fetch),
            _WATCH(self._watch),
            _EXCEPTION(self._exception),
        )
        self._trace: object = None
        self._core = _call("new", ctypes.addressof(self._struct), None)
        if not self._core:
            raise MemoryError("no memory for an ARM core")
        self.reset()

    def close(self) -> None:
        """Free the C side; the object is unusable afterwards."""
        if self._core:
            _call("free", self._core)
            self._core = 0

    def __del__(self) -> None:
        self.close()

    # -- bus callbacks

    def _guard(self, call: Callable[[], int], default: int) -> int:
        try:
            return call()
        except BaseException as error:
            self._raised = self._raised or error
            _call("stop", self._core)
            return default

    def _read(self, _ctx: int, _core: int, addr: int, size: int, value: _Word) -> int:
        return self._guard(lambda: self._answer("read", addr, size, value), BUS_FAULT)

    def _fetch(self, _ctx: int, _core: int, addr: int, size: int, value: _Word) -> int:
        return self._guard(lambda: self._answer("fetch", addr, size, value), BUS_FAULT)

    def _answer(self, kind: str, addr: int, size: int, value: _Word) -> int:
        if self._bus is None:
            return BUS_FAULT
        wait, word = getattr(self._bus, kind)(self, addr, size)
        value[0] = _U32(word)
        return int(wait)

    def _write(self, _ctx: int, _core: int, addr: int, size: int, value: int) -> int:
        bus = self._bus
        if bus is None:
            return BUS_FAULT
        return self._guard(lambda: bus.write(self, addr, size, value), BUS_FAULT)

    def _watch(self, _ctx: int, _core: int, addr: int, size: int, is_write: bool) -> None:
        bus = self._bus
        if bus is not None:
            self._guard(lambda: _done(bus.watch, self, addr, size, is_write), 0)

    def _exception(self, _ctx: int, _core: int, vector: int) -> None:
        bus = self._bus
        if bus is not None:
            self._guard(lambda: _done(bus.exception, self, vector), 0)

    # -- memory

    def write_memory(self, addr: int, data: bytes) -> None:
        """Put bytes into a TCM from outside, as a loader does."""
        base, offset = self._place(addr, len(data))
        ctypes.memmove(base + offset, data, len(data))
        _call("invalidate", self._core, addr, len(data))

    def read_memory(self, addr: int, size_bytes: int) -> bytes:
        """Return bytes of a TCM."""
        base, offset = self._place(addr, size_bytes)
        return ctypes.string_at(base + offset, size_bytes)

    def _place(self, addr: int, size_bytes: int) -> tuple[int, int]:
        if addr >= 0 and addr + size_bytes <= ITCM_SIZE:
            return _call("itcm", self._core), addr
        if addr >= DTCM_BASE and addr + size_bytes <= DTCM_BASE + DTCM_SIZE:
            return _call("dtcm", self._core), addr - DTCM_BASE
        raise ValueError(f"0x{addr:08x} + {size_bytes} bytes is in no TCM")

    # -- registers

    def reg(self, index: int) -> int:
        """Register of the current mode; 15 is the next instruction's address."""
        return _call("reg", self._core, index)

    def set_reg(self, index: int, value: int) -> None:
        """Set a register of the current mode (value modulo 2^32)."""
        _call("set_reg", self._core, index, value & 0xFFFF_FFFF)

    @property
    def pc(self) -> int:
        """Address of the next instruction (inside callbacks: of the running one)."""
        return self.reg(15)

    @pc.setter
    def pc(self, value: int) -> None:
        self.set_reg(15, value)

    @property
    def cpsr(self) -> int:
        """CPSR; setting it may change mode, state and masks."""
        return _call("cpsr", self._core)

    @cpsr.setter
    def cpsr(self, value: int) -> None:
        _call("set_cpsr", self._core, value)

    @property
    def spsr(self) -> int:
        """SPSR of the current mode."""
        return _call("spsr", self._core)

    @spsr.setter
    def spsr(self, value: int) -> None:
        _call("set_spsr", self._core, value)

    @property
    def cp15_control(self) -> int:
        """CP15 register 1 (bit 1 alignment checks, bit 13 high vectors)."""
        return _call("cp15", self._core)

    @cp15_control.setter
    def cp15_control(self, value: int) -> None:
        _call("set_cp15", self._core, value)

    @property
    def cycles(self) -> int:
        """Core clock cycles since start."""
        return _call("cycles", self._core)

    @cycles.setter
    def cycles(self, value: int) -> None:
        _call("set_cycles", self._core, value)

    @property
    def instructions(self) -> int:
        """Instructions executed since start, those that failed their condition included."""
        return _call("instructions", self._core)

    @property
    def error(self) -> tuple[int, int, int]:
        """(enum arm_error, detail, pc); code 0 is no error."""
        detail, pc = _U32(), _U32()
        code = _call("error", self._core, ctypes.byref(detail), ctypes.byref(pc))
        return code, detail.value, pc.value

    def clear_error(self) -> None:
        """Let the core run on after a typed error."""
        _call("clear_error", self._core)

    # -- running

    def reset(self, high_vectors: bool = False) -> None:
        """Reset the core; TCMs and cycles stay."""
        _call("reset", self._core, high_vectors)

    def copy_state(self, other: Core) -> None:
        """Become the twin of another core; the Bus stays this one's."""
        _call("copy_state", self._core, other._core)

    def run(self, until: int) -> Result:
        """Run to a cycle, WFI, a stop or a typed error. Re-raises what a Bus method raised."""
        result = Result(_call("run", self._core, until))
        if self._raised is not None:
            error, self._raised = self._raised, None
            raise error
        return result

    def step(self, count: int = 1) -> Result:
        """Run `count` instructions; an interrupt entry or a prefetch abort counts as one."""
        result = Result.DONE
        for _ in range(count):
            result = self.run(self.cycles + 1)
        return result

    def set_irq(self, level: bool, cycle: int = 0) -> None:
        """Drive the IRQ line; a sleeping core wakes at `cycle`."""
        _call("set_irq", self._core, level, cycle)

    def set_fiq(self, level: bool, cycle: int = 0) -> None:
        """Drive the FIQ line; a sleeping core wakes at `cycle`."""
        _call("set_fiq", self._core, level, cycle)

    def stop_at(self, cycle: int) -> None:
        """From a Bus method: end the running run() at this cycle."""
        _call("stop_at", self._core, cycle)

    def stop(self) -> None:
        """From a Bus method: end the running run() after this instruction."""
        _call("stop", self._core)

    def fail(self, detail: int) -> None:
        """From a Bus method: end with a typed error."""
        _call("fail", self._core, detail)

    def watch(self, base: int, size_bytes: int) -> int:
        """Report accesses to a TCM range through Bus.watch; returns a handle."""
        return _call("watch", self._core, base, size_bytes)

    def unwatch(self, handle: int) -> None:
        """Drop a watch."""
        _call("unwatch", self._core, handle)

    def trace(self, callback: Callable[[Core], None] | None) -> None:
        """Call back before each instruction, in the slow, traced loop; None: the fast one again."""
        if callback is None:
            self._trace = None
        else:
            self._trace = _TRACE(lambda _ctx, _core: self._guard(lambda: _done(callback, self), 0))
        pointer = ctypes.cast(self._trace, _PTR) if self._trace is not None else None
        _call("set_trace", self._core, pointer)


def disassemble(word: int, pc: int = 0, *, thumb: bool = False) -> str:
    """Return the text of one instruction.

    >>> disassemble(0xE0A34815)
    'adc r4, r3, r5, lsl r8'
    """
    out = ctypes.create_string_buffer(96)
    _call("disassemble", word, pc, thumb, out, len(out))
    return out.value.decode()


def rotate(cores: list[Core], slice_cycles: int, until: int) -> None:
    """Run the cores in turn, slice_cycles each, up to `until` cycles; for benches."""
    handles = (_PTR * len(cores))(*(core._core for core in cores))
    _call("rotate", ctypes.addressof(handles), len(cores), slice_cycles, until)
