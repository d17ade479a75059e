"""ARM programs for the firmware's tests: built from sources, called in Unicorn's ARM926 or, where
cycles are counted, in the virtual board's interpreter.

In: objects of spindle/firmware and of these tests. Out: register and memory results,
cycles. Nothing but the sources given is linked: a missing
function is an error, so no compiler library can slip in.

    0x00000040  code
    0x00400000  variables, constants, then data, handed out by `place`; stack at its end
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from unicorn import UC_ARCH_ARM, UC_MODE_ARM, Uc
from unicorn.arm_const import (
    UC_ARM_REG_LR,
    UC_ARM_REG_PC,
    UC_ARM_REG_R0,
    UC_ARM_REG_R1,
    UC_ARM_REG_R2,
    UC_ARM_REG_R3,
    UC_ARM_REG_SP,
    UC_CPU_ARM_926,
)

from spindle.kernels_host import build
from spindle.vboard.arm_host import Core, Result

ARM = (*build.ARM_FLAGS, "-target", "arm-freestanding-eabi")
DRIVER = Path(__file__).with_name("arm_driver.c")
CODE_BYTES = 0x00100000
VARIABLES = 0x00400000
DATA = VARIABLES + 0x800
DATA_BYTES = 0x08000000 - 0x800
STACK_BYTES = 0x10000
RETURN = 0x20
"""Where a called function returns to."""
WAIT_FOR_INTERRUPT = bytes.fromhex("900f07ee")
"""mcr p15, 0, r0, c7, c0, 4"""
DTCM_STACK = 0x00410000
CPSR_SYSTEM, CPSR_THUMB = 0xDF, 0x20

LINKER_SCRIPT = """
ENTRY(_start)
SECTIONS {
  . = 0x40; _start = .;
  .text : { KEEP(*(.text .text.*)) }
  .data : { *(.data .data.*) }
  .bss 0x00400000 (NOLOAD) : { *(.bss .bss.*) }
  .rodata 0x00400100 : { *(.rodata .rodata.*) }
  /DISCARD/ : { *(.ARM.*) *(.comment) *(.note*) *(.debug*) }
  ASSERT(SIZEOF(.bss) <= 0x100, "variables reach into the constants")
  ASSERT(SIZEOF(.rodata) <= 0x700, "constants reach into the data")
}
"""


def link(objects: Sequence[Path]) -> bytes:
    """Link objects to an ELF."""
    with tempfile.TemporaryDirectory() as folder:
        script, made = Path(folder) / "test.ld", Path(folder) / "test.elf"
        script.write_text(LINKER_SCRIPT)
        flags = [*ARM, "-nostdlib", "-static", f"-Wl,-T,{script}"]
        build.compile_c([*flags, *map(str, objects), "-o", str(made)])
        return made.read_bytes()


def firmware_objects(folder: Path, *, plain: bool) -> list[Path]:
    """The firmware's kernels and soft float as the firmware is built, and the tests' driver.

    plain: the kernels' C twins in place of assembly.
    """
    build.build_arm(folder, plain=plain)
    driver = folder / "driver.o"
    build.compile_c([*ARM, "-O2", "-c", str(DRIVER), "-o", str(driver)])
    kept = ("kernels_", "arm_", "spinnaker_sf", "spinnaker_divide", "spinnaker_clz")
    return [*(path for path in sorted(folder.glob("*.o")) if path.name.startswith(kept)), driver]


def symbols(elf: bytes) -> dict[str, int]:
    """Names and addresses of an ELF32's symbol table."""
    headers, (size, count) = (
        struct.unpack_from("<I", elf, 32)[0],
        struct.unpack_from("<HH", elf, 46),
    )
    sections = [struct.unpack_from("<10I", elf, headers + i * size) for i in range(count)]
    table = next(section for section in sections if section[1] == 2)
    text = sections[table[6]][4]
    found = {}
    for offset in range(table[4], table[4] + table[5], 16):
        name, value = struct.unpack_from("<II", elf, offset)
        end = elf.index(b"\0", text + name)
        found[elf[text + name : end].decode()] = value
    return found


def segments(elf: bytes) -> list[tuple[int, bytes]]:
    """Address and bytes of each loaded segment."""
    headers, (size, count) = (
        struct.unpack_from("<I", elf, 28)[0],
        struct.unpack_from("<HH", elf, 42),
    )
    loads = [struct.unpack_from("<8I", elf, headers + i * size) for i in range(count)]
    return [(p[2], elf[p[1] : p[1] + p[4]]) for p in loads if p[0] == 1 and p[4]]


class ArmProgram:
    """One linked program in an emulator; `place` puts arrays in memory, `call` runs a function."""

    def __init__(self, objects: Sequence[Path]) -> None:
        elf = link(objects)
        self.symbols = symbols(elf)
        self.uc = Uc(UC_ARCH_ARM, UC_MODE_ARM, UC_CPU_ARM_926)
        self.uc.mem_map(0, CODE_BYTES)
        self.uc.mem_map(VARIABLES, DATA + DATA_BYTES - VARIABLES)
        for address, data in segments(elf):
            self.uc.mem_write(address, data)
        self.next_free = DATA

    def reset(self) -> None:
        """Forget the arrays placed so far."""
        self.next_free = DATA

    def reserve(self, n_bytes: int) -> int:
        """Address of n_bytes of memory, aligned to 8."""
        address = self.next_free
        self.next_free += (n_bytes + 7) // 8 * 8
        assert self.next_free <= DATA + DATA_BYTES - STACK_BYTES
        return address

    def place(self, array: np.ndarray) -> int:
        """Copy an array into memory; its address."""
        address = self.reserve(array.nbytes)
        self.uc.mem_write(address, array.tobytes())
        return address

    def read(self, address: int, count: int, dtype: str = "uint32") -> np.ndarray:
        """Read count elements."""
        n_bytes = count * np.dtype(dtype).itemsize
        return np.frombuffer(bytes(self.uc.mem_read(address, n_bytes)), dtype)

    def call(self, name: str, *arguments: int) -> int:
        """Call a function with up to four words; its first result word."""
        registers = (UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3)
        assert len(arguments) <= len(registers)
        for register, value in zip(registers, arguments, strict=False):
            self.uc.reg_write(register, value & 0xFFFFFFFF)
        stack = DATA + DATA_BYTES - 64
        self.uc.reg_write(UC_ARM_REG_SP, stack)
        self.uc.reg_write(UC_ARM_REG_LR, RETURN)
        self.uc.emu_start(self.symbols[name], RETURN)
        assert self.uc.reg_read(UC_ARM_REG_PC) == RETURN
        assert self.uc.reg_read(UC_ARM_REG_SP) == stack
        return int(self.uc.reg_read(UC_ARM_REG_R0))


class TimedProgram:
    """The same program in the virtual board's interpreter, which counts cycles.

    Code lies in ITCM, data in DTCM; `cycles` is from a function's first instruction to its return.
    """

    def __init__(self, objects: Sequence[Path]) -> None:
        elf = link(objects)
        self.symbols = symbols(elf)
        self.core = Core()
        self.core.cpsr = CPSR_SYSTEM
        for address, data in [*segments(elf), (RETURN, WAIT_FOR_INTERRUPT)]:
            self.core.write_memory(address, data)
        self.next_free = DATA
        self.asleep_cycles = self._run(RETURN)

    def reset(self) -> None:
        """Forget the arrays placed so far."""
        self.next_free = DATA

    def reserve(self, n_bytes: int) -> int:
        """Address of n_bytes of memory, aligned to 8."""
        address = self.next_free
        self.next_free += (n_bytes + 7) // 8 * 8
        assert self.next_free <= DTCM_STACK - 1024
        return address

    def place(self, array: np.ndarray) -> int:
        """Copy an array into memory; its address."""
        address = self.reserve(array.nbytes)
        self.core.write_memory(address, array.tobytes())
        return address

    def cycles(self, name: str, *arguments: int) -> int:
        """Call a function with up to four words; cycles."""
        for register, value in enumerate(arguments):
            self.core.set_reg(register, value)
        self.core.set_reg(13, DTCM_STACK)
        self.core.set_reg(14, RETURN)
        cycles = self._run(self.symbols[name]) - self.asleep_cycles
        assert self.core.reg(13) == DTCM_STACK
        return cycles

    def _run(self, start: int) -> int:
        before = self.core.cycles
        self.core.set_irq(True, before)  # masked: it only wakes the core
        self.core.set_irq(False, before)
        self.core.cpsr = CPSR_SYSTEM | (CPSR_THUMB if start & 1 else 0)
        self.core.pc = start & ~1
        assert self.core.run(before + 100_000_000) == Result.ASLEEP
        return self.core.cycles - before
