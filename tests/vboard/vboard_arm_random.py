"""Random ARM and Thumb instructions, and one core beside one Unicorn ARM926 to run them on.

In: a seed. Out: instruction words without UNPREDICTABLE operand choices;
Pair runs a word on both and says what differs.
"""

from __future__ import annotations

import random
import struct

import unicorn.arm_const as uc_arm
from unicorn import UC_ARCH_ARM, UC_ERR_FETCH_UNMAPPED, UC_MODE_ARM, Uc, UcError

from spindle.vboard.arm_host import DTCM_BASE, ITCM_SIZE, Core, disassemble

CODE = 0x1000
WINDOW = DTCM_BASE + 0x2000
FLAGS = 0xF8000020
_REGS = [getattr(uc_arm, f"UC_ARM_REG_R{i}") for i in range(13)] + [
    uc_arm.UC_ARM_REG_SP,
    uc_arm.UC_ARM_REG_LR,
    uc_arm.UC_ARM_REG_PC,
]


def _cond(rng: random.Random) -> int:
    return (14 if rng.random() < 0.6 else rng.randrange(14)) << 28


def _reg(rng: random.Random, *without: int) -> int:
    return rng.choice([r for r in range(15) if r not in without])


def data(rng: random.Random) -> int:
    """Data processing, all sixteen operations and operand forms, r15 as operand and target too."""
    opcode, flags = rng.randrange(16), rng.randrange(2)
    test = 8 <= opcode < 12
    flags |= test
    rd = 0 if test else 15 if rng.random() < 0.05 and not flags else _reg(rng)
    word = _cond(rng) | opcode << 21 | flags << 20 | rd << 12
    rn = 0 if opcode in (13, 15) else rng.randrange(16) if rng.random() < 0.2 else _reg(rng)
    form = rng.randrange(3)
    if form == 0:
        return word | rn << 16 | 1 << 25 | rng.randrange(4096)
    if form == 1:
        rm = 15 if rng.random() < 0.1 else _reg(rng)
        return word | rn << 16 | rng.randrange(32) << 7 | rng.randrange(4) << 5 | rm
    rd, rn = (0 if test else _reg(rng)), min(rn, 14)
    shift = _reg(rng) << 8 | rng.randrange(4) << 5 | 1 << 4 | _reg(rng)
    return (word & ~0xF000) | rd << 12 | rn << 16 | shift


def multiply(rng: random.Random) -> int:
    """MUL, MLA and the four long ones, with and without S."""
    base = rng.choice([0x000090, 0x200090, 0x800090, 0xA00090, 0xC00090, 0xE00090])
    rm = _reg(rng)
    high = _reg(rng, rm)
    low = 0 if base == 0x90 else _reg(rng, high, rm)
    s = rng.randrange(2) << 20
    return _cond(rng) | base | s | high << 16 | low << 12 | _reg(rng) << 8 | rm


def dsp(rng: random.Random) -> int:
    """SMLAxy, SMLAWy, SMULWy, SMULxy, SMLALxy, QADD family, CLZ."""
    kind = rng.randrange(7)
    d, n, s, m = _reg(rng), _reg(rng), _reg(rng), _reg(rng)
    x, y = rng.randrange(2) << 5, rng.randrange(2) << 6
    if kind == 0:
        return _cond(rng) | 0x01000080 | x | y | d << 16 | n << 12 | s << 8 | m
    if kind == 1:
        return _cond(rng) | 0x01200080 | y | d << 16 | n << 12 | s << 8 | m
    if kind == 2:
        return _cond(rng) | 0x012000A0 | y | d << 16 | s << 8 | m
    if kind == 3:
        return _cond(rng) | 0x01600080 | x | y | d << 16 | s << 8 | m
    if kind == 4:
        low = _reg(rng, d)
        return _cond(rng) | 0x01400080 | x | y | d << 16 | low << 12 | s << 8 | m
    if kind == 5:
        return _cond(rng) | 0x01000050 | rng.randrange(4) << 21 | n << 16 | d << 12 | m
    return _cond(rng) | 0x016F0F10 | d << 12 | m


def word_access(rng: random.Random) -> int:
    """LDR, STR, LDRB, STRB in every addressing mode; LDR pc; literals."""
    pre, up, byte = rng.randrange(2), rng.randrange(2), rng.randrange(2)
    back, load = rng.randrange(2) & pre, rng.randrange(2)
    rn = 15 if pre and not back and rng.random() < 0.15 else _reg(rng)
    writes_back = back or not pre
    rd = _reg(rng, rn) if writes_back else _reg(rng)
    if load and not byte and rng.random() < 0.05:
        rd = 15
    word = _cond(rng) | 1 << 26 | pre << 24 | up << 23 | byte << 22 | back << 21 | load << 20
    word |= rn << 16 | rd << 12
    if rng.randrange(2):
        return word | rng.randrange(64) << 2 | (rng.randrange(4) if byte else 0)
    rm = _reg(rng, rn)
    amount = rng.choice([0, 0, 1, 2, 31, rng.randrange(32)])
    return word | 1 << 25 | amount << 7 | rng.randrange(4) << 5 | rm


def half_access(rng: random.Random) -> int:
    """LDRH, STRH, LDRSB, LDRSH, LDRD, STRD in every addressing mode."""
    pre, up, imm = rng.randrange(2), rng.randrange(2), rng.randrange(2)
    back = rng.randrange(2) & pre
    load, kind = rng.randrange(2), rng.randrange(1, 4)
    double = not load and kind > 1
    rd = rng.randrange(7) * 2 if double else _reg(rng)
    without = (rd, rd + 1) if double else (rd,)
    rn = _reg(rng, *without) if back or not pre else _reg(rng)
    word = _cond(rng) | pre << 24 | up << 23 | imm << 22 | back << 21 | load << 20
    word |= rn << 16 | rd << 12 | 1 << 7 | kind << 5 | 1 << 4
    if imm:
        offset = rng.randrange(32) * (8 if double else 2)
        return word | (offset & 0xF0) << 4 | (offset & 15)
    return word | _reg(rng, rn, *without)


def block(rng: random.Random) -> int:
    """LDM and STM, all four directions, with and without write-back, LDM pc."""
    load, back, mode, rn = rng.randrange(2), rng.randrange(2), rng.randrange(4), _reg(rng)
    regs = rng.randrange(1, 0x8000)
    if rng.random() < 0.3:
        regs = 1 << rng.randrange(15)
    if back:
        regs &= ~(1 << rn)
    regs = regs or (1 << (rn + 1) % 15)
    if load and rng.random() < 0.1:
        regs |= 0x8000
    return _cond(rng) | 1 << 27 | mode << 23 | back << 21 | load << 20 | rn << 16 | regs


def swap(rng: random.Random) -> int:
    """SWP and SWPB."""
    rn = _reg(rng)
    byte, rd, rm = rng.randrange(2), _reg(rng, rn), _reg(rng, rn)
    return _cond(rng) | 0x01000090 | byte << 22 | rn << 16 | rd << 12 | rm


def psr(rng: random.Random) -> int:
    """MRS cpsr, MSR cpsr_f from register and immediate."""
    kind = rng.randrange(3)
    if kind == 0:
        return _cond(rng) | 0x010F0000 | _reg(rng) << 12
    if kind == 1:
        return _cond(rng) | 0x0128F000 | _reg(rng)
    return _cond(rng) | 0x0328F000 | rng.choice([2, 4]) << 8 | rng.randrange(256)


def branch(rng: random.Random) -> int:
    """B, BL, BLX, BX with any target."""
    kind = rng.randrange(5)
    if kind < 2:
        return _cond(rng) | (0x0A if kind == 0 else 0x0B) << 24 | rng.randrange(1 << 24)
    if kind == 2:
        return 0xFA000000 | rng.randrange(1 << 25)
    return _cond(rng) | (0x012FFF10 if kind == 3 else 0x012FFF30) | _reg(rng)


ARM_CLASSES = (data, multiply, dsp, word_access, half_access, block, swap, psr, branch)


def thumb(rng: random.Random) -> int:
    """Any defined Thumb halfword that raises no exception."""
    while True:
        half = rng.randrange(0x10000)
        top = half >> 12
        if half & 0xFE00 == 0xDE00 or half & 0xFF00 == 0xBE00:
            continue
        if half >= 0xE800:  # the halves of BL and BLX: see thumb_call
            continue
        if top == 0xB and half & 0xFF00 != 0xB000 and half & 0xF600 != 0xB400:
            continue
        if half & 0xFF00 in (0xB400, 0xBC00) and half & 0xFF == 0:
            continue
        if top == 0xC and (half & 0xFF == 0 or half >> (half >> 8 & 7) & 1):
            continue
        if half & 0xFC00 == 0x4400 and not _defined_high(half):
            continue
        return half


def thumb_call(rng: random.Random) -> list[int]:
    """Both halves of BL or BLX."""
    high = 0xF000 | rng.randrange(0x800)
    if rng.randrange(2):
        return [high, 0xF800 | rng.randrange(0x800)]
    return [high, 0xE800 | rng.randrange(0x400) * 2]


def _defined_high(half: int) -> bool:
    d, m, kind = (half & 7) | (half >> 4 & 8), half >> 3 & 15, half >> 8 & 3
    if kind == 3:
        return half & 7 == 0 and m != 15
    both_low = half & 0xC0 == 0
    return not both_low and not (kind == 1 and d == 15)


class Pair:
    """One interpreter core and one Unicorn ARM926 with the same memory: random, or `fill`."""

    def __init__(self, seed: int, fill: bytes = b"") -> None:
        self.rng = random.Random(seed)
        self.core = Core()
        self.core.cp15_control = 2
        self.uc = Uc(UC_ARCH_ARM, UC_MODE_ARM)
        self.uc.ctl_set_cpu_model(uc_arm.UC_CPU_ARM_926)
        self.uc.mem_map(0, ITCM_SIZE)
        self.uc.mem_map(DTCM_BASE, 0x10000)
        self._fill(fill)

    def _fill(self, fill: bytes) -> None:
        for base, size in ((0, ITCM_SIZE), (DTCM_BASE, 0x10000)):
            content = fill * (size // len(fill)) if fill else self.rng.randbytes(size)
            self.core.write_memory(base, content)
            self.uc.mem_write(base, content)

    def _value(self) -> int:
        kind = self.rng.randrange(4)
        if kind == 0:
            return self.rng.randrange(64) * 4
        if kind == 1:
            return self.rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 31, 32, 33])
        if kind == 2:
            return self.rng.randrange(1 << 32)
        return WINDOW + self.rng.randrange(0x80) * 8

    def randomise(self, *, is_thumb: bool) -> None:
        """New registers and flags on both."""
        cpsr = 0x13 | self.rng.randrange(32) << 27 | (0x20 if is_thumb else 0) | 0xC0
        self.core.cpsr = cpsr
        self.uc.reg_write(uc_arm.UC_ARM_REG_CPSR, cpsr)
        for i in range(15):
            value = self._value()
            self.core.set_reg(i, value)
            self.uc.reg_write(_REGS[i], value)

    def place(self, code: bytes) -> None:
        """Put code at CODE on both."""
        self.core.write_memory(CODE, code)
        self.uc.mem_write(CODE, code)
        self.uc.ctl_flush_tb()  # old blocks would run on past the count

    def differences(self, *, everything: bool = False) -> list[str]:
        """What is not equal: registers, flags, nearby memory; or, everything, all of memory."""
        found = []
        for i in () if everything else range(16):
            ours, theirs = self.core.reg(i), self.uc.reg_read(_REGS[i])
            if i == 15 and not self.core.cpsr & 0x20:
                theirs &= ~3  # bit 1 of an ARM target is UNPREDICTABLE
            if ours != theirs:
                found.append(f"r{i} 0x{ours:08x}, Unicorn 0x{theirs:08x}")
        ours, theirs = self.core.cpsr & FLAGS, self.uc.reg_read(uc_arm.UC_ARM_REG_CPSR) & FLAGS
        if ours != theirs and not everything:
            found.append(f"cpsr 0x{ours:08x}, Unicorn 0x{theirs:08x}")
        ranges = [(WINDOW - 0x800, 0x1800)]
        if everything:
            ranges = [(0, ITCM_SIZE), (DTCM_BASE, 0x10000)]
        for base, size in ranges:
            if self.core.read_memory(base, size) != bytes(self.uc.mem_read(base, size)):
                found.append(f"memory of 0x{base:08x}")
        return found

    def run(self, words: list[int], *, is_thumb: bool = False) -> list[str] | None:
        """Run the words once in sequence; the differences, or None where they left the TCMs."""
        code = b"".join(struct.pack("<H" if is_thumb else "<I", word) for word in words)
        old = self.core.read_memory(0, ITCM_SIZE), self.core.read_memory(DTCM_BASE, 0x10000)
        self.randomise(is_thumb=is_thumb)
        self.place(code)
        self.core.pc = CODE
        if not all(self._steps() for _ in words):
            self.core.write_memory(0, old[0])
            self.core.write_memory(DTCM_BASE, old[1])
            self.place(code)
            return None
        try:
            self.uc.emu_start(CODE | is_thumb, 0xFFFFFFFF, count=len(words))
        except UcError as error:  # the branch was taken, its target is no memory
            if error.errno != UC_ERR_FETCH_UNMAPPED:
                raise
        return self.differences()

    def _steps(self) -> bool:
        self.core.step()
        return self.core.cpsr & 0x1F == 0x13


def text(words: list[int], *, is_thumb: bool = False) -> str:
    """The words with their disassembly, one a line."""
    size = 2 if is_thumb else 4
    lines = (
        f"{word:08x} {disassemble(word, CODE + size * i, thumb=is_thumb)}"
        for i, word in enumerate(words)
    )
    return "\n".join(lines)
