"""Cores of Unicorn for comparisons: a program in TCM, and SC&MP's start with devices behind it.

In: memory, registers. Out: instructions run, processor time. Unicorn has no devices: its accesses
go to the virtual board's (Rig), and the time of that is left out, with the price of a call from
Unicorn into Python, which is measured. Interrupts are not delivered: before its first sleep the
monitor needs none.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import time
from collections.abc import Sequence

from unicorn import UC_ARCH_ARM, UC_MODE_ARM, UC_PROT_ALL, Uc
from unicorn.arm_const import UC_ARM_REG_CPSR, UC_ARM_REG_PC, UC_ARM_REG_R0, UC_CPU_ARM_926

from spindle.vboard.arm_host import DTCM_BASE
from spindle.vboard.assemble import assemble
from spindle.vboard.board import Board
from spindle.vboard.chip_host import ChipOptions, Rig, RigOptions
from spindle.vboard.options import BoardOptions

ITCM_BYTES, DTCM_BYTES, SYSRAM_BYTES, SDRAM_BYTES = 0x8000, 0x10000, 0x8000, 128 << 20
ALIASES = {
    SYSRAM_BYTES: (0xE5000000, 0xF5000000),
    SDRAM_BYTES: (0x60000000, 0x68000000, 0x70000000, 0x78000000),
}
DEVICES = (0x10, 0x11, 0x1F, 0x20, 0x21, 0x2F, 0x30, 0x40, *range(0xE0, 0xE5), *range(0xF0, 0xF5))
"""Top bytes of their addresses."""
DEVICE_BYTES = 0x100000
THUMB = 0x20
CYCLES_PER_INSTRUCTION = 2
"""For the clock that the devices see; SC&MP's start takes 2.2."""


def new_core() -> Uc:
    """An ARM926 without memory."""
    core = Uc(UC_ARCH_ARM, UC_MODE_ARM)
    core.ctl_set_cpu_model(UC_CPU_ARM_926)
    return core


def tcm_core(itcm: bytes, dtcm: bytes, pc: int) -> Uc:
    """A core with both memories, in front of an ARM instruction."""
    core = new_core()
    core.mem_map(0, ITCM_BYTES)
    core.mem_map(DTCM_BASE, DTCM_BYTES)
    core.mem_write(0, itcm)
    core.mem_write(DTCM_BASE, dtcm)
    core.reg_write(UC_ARM_REG_PC, pc)
    return core


def run_slice(core: Uc, count: int) -> None:
    """Go on for `count` instructions."""
    is_thumb = bool(core.reg_read(UC_ARM_REG_CPSR) & THUMB)
    core.emu_start(core.reg_read(UC_ARM_REG_PC) | is_thumb, 0xFFFFFFFF, count=count)


def rotate(cores: Sequence[Uc], count: int, slices: int) -> float:
    """Give each core so many slices in turn; processor time."""
    start = time.process_time()
    for _ in range(slices):
        for core in cores:
            run_slice(core, count)
    return time.process_time() - start


class Monitor:
    """SC&MP from its first instruction, in Unicorn, on the devices of a chip of its own."""

    def __init__(self, board: Board) -> None:
        """board: of one chip, with its image started but not run: where memory comes from."""
        self.core, self._shared = new_core(), list[mmap.mmap]()
        self._place = board.places[0].monitor
        self._rig = Rig(RigOptions((ChipOptions(allow_faults=True),)))
        self._rig.rom_power_on(self._place)
        self.device_s, self.n_accesses, self._cycle = 0.0, 0, 1000
        self._map((0,), board.tcm(0, self._place, 0, ITCM_BYTES))
        self._map((DTCM_BASE,), board.tcm(0, self._place, DTCM_BASE, DTCM_BYTES))
        self._map(ALIASES[SYSRAM_BYTES], board.read(0, 0xE5000000, SYSRAM_BYTES))
        self._map(ALIASES[SDRAM_BYTES], b"", SDRAM_BYTES)
        for top in DEVICES:
            base = top << 24
            self.core.mmio_map(base, DEVICE_BYTES, self._read, base, self._write, base)
        self._start_as(board)

    def _map(self, bases: Sequence[int], data: bytes, size_bytes: int = 0) -> None:
        """The same memory at all addresses."""
        memory = mmap.mmap(-1, size_bytes or len(data))
        memory[: len(data)] = data
        self._shared.append(memory)
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        for base in bases:
            self.core.mem_map_ptr(base, len(memory), UC_PROT_ALL, address)

    def _start_as(self, board: Board) -> None:
        view = board.core(0, self._place)
        self.core.reg_write(UC_ARM_REG_CPSR, view.cpsr)
        for index, value in enumerate(view.regs[:13]):
            self.core.reg_write(UC_ARM_REG_R0 + index, value)
        self.core.reg_write(UC_ARM_REG_PC, view.pc)

    def _read(self, _core: Uc, offset: int, size: int, base: int) -> int:
        start = time.process_time()
        self._cycle += CYCLES_PER_INSTRUCTION
        _, value = self._rig.read_wait(self._cycle, base + offset, core=self._place, size=size)
        self.n_accesses += 1
        self.device_s += time.process_time() - start
        return value

    def _write(self, _core: Uc, offset: int, size: int, value: int, base: int) -> None:
        start = time.process_time()
        self._cycle += CYCLES_PER_INSTRUCTION
        self._rig.write(self._cycle, base + offset, value, core=self._place, size=size)
        self.n_accesses += 1
        self.device_s += time.process_time() - start

    def pass_time(self, count: int) -> None:
        """The devices' clock goes on for a slice."""
        self._cycle += CYCLES_PER_INSTRUCTION * count

    def close(self) -> None:
        """Free the chip."""
        self._rig.close()


def started_board() -> Board:
    """A board of one chip that has its boot image and has not begun."""
    board = Board(BoardOptions(shape=(1, 1)))
    board.start_image()
    return board


def monitor_mips(n_cores: int, count: int, slices: int) -> float:
    """M instructions/s of monitors in rotation, without the time of devices and calls to them."""
    with started_board() as board:
        monitors = [Monitor(board) for _ in range(n_cores)]
    total = 0.0
    for _ in range(slices):
        total += rotate([monitor.core for monitor in monitors], count, 1)
        for monitor in monitors:
            monitor.pass_time(count)
    total -= sum(m.device_s + m.n_accesses * call_s() for m in monitors)
    for monitor in monitors:
        monitor.close()
    return n_cores * count * slices / total / 1e6


@functools.cache
def call_s(n: int = 50_000) -> float:
    """What an access that ends in an empty Python function costs beyond one to memory."""
    code = assemble("loop: ldr r1, [r0]\n b loop\n")
    times = []
    for address in (0x10000000, DTCM_BASE):
        core = tcm_core(code, bytes(4), 0)
        core.mmio_map(0x10000000, DEVICE_BYTES, _nothing, None, None, None)
        core.reg_write(UC_ARM_REG_R0, address)
        times.append(rotate([core], 2 * n, 1) / n)
    return times[0] - times[1]


def _nothing(_core: Uc, _offset: int, _size: int, _data: object) -> int:
    time.process_time()
    return 0
