"""Cycles of an ARM trace on an ARM9E-S core with single-cycle memory, for the firmware's tests.

In: (address, instruction word, CPSR before it) of every instruction executed, in order. Out: cycles.
Follows ARM DDI 0165B chapter 8 as the reference sheet of kernels.md restates it: issue cycles per
class, and how late a result is for the next instruction (loads 1, bytes and halfwords 2, multiplies 1
except as an accumulator). Choices where sources differ: a load or store with a shifted register offset
takes 2 cycles, a failed condition 1.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

PC = 15


@dataclass(frozen=True)
class Timing:
    """One instruction that executes: cycles, registers read, read as accumulator, late results."""

    cycles: int
    reads: frozenset[int]
    adds: frozenset[int] = frozenset()
    late: tuple[tuple[int, int], ...] = ()
    multiply: bool = False


def holds(condition: int, cpsr: int) -> bool:
    """Does a condition code hold under these flags?"""
    n, z, c, v = (cpsr >> 31 & 1, cpsr >> 30 & 1, cpsr >> 29 & 1, cpsr >> 28 & 1)
    pairs = (z, c, n, v, c & ~z, n == v, (not z) and n == v, True)
    return bool(pairs[condition >> 1]) != bool(condition & 1)


def _fields(word: int) -> tuple[int, int, int, int]:
    return word >> 16 & 15, word >> 12 & 15, word >> 8 & 15, word & 15


def _multiply(word: int) -> Timing:
    high, low, rs, rm = _fields(word)
    is_long, adds, flags = word >> 23 & 1, word >> 21 & 1, word >> 20 & 1
    if is_long:
        added = frozenset({high, low} if adds else ())
        return Timing(5 if flags else 3, frozenset({rs, rm}), added, ((high, 1),), True)
    added = frozenset({low} if adds else ())
    late = () if flags else ((high, 1),)
    return Timing(4 if flags else 2, frozenset({rs, rm}), added, late, True)


def _multiply_half(word: int) -> Timing:
    high, low, rs, rm = _fields(word)
    kind, reads = word >> 21 & 3, frozenset({rs, rm})
    if kind == 2:
        return Timing(2, reads, frozenset({high, low}), ((high, 1),), True)
    adds = kind == 0 or (kind == 1 and not word >> 5 & 1)
    return Timing(1, reads, frozenset({low} if adds else ()), ((high, 1),), True)


def _miscellaneous(word: int) -> Timing:
    rn, rd, _, rm = _fields(word)
    if word & 0x90 == 0x80:
        return _multiply_half(word)
    if word & 0xF0 in (0x10, 0x30) and not word & 0x00400000:
        return Timing(3, frozenset({rm}))
    if word & 0xF0 == 0x10:
        return Timing(1, frozenset({rm}))
    if word & 0xF0 == 0x50:
        return Timing(1, frozenset({rn, rm}), late=((rd, 1),))
    assert word & 0xF0 == 0, f"no timing for 0x{word:08x}"
    return Timing(1 if word & 0x00200000 else 2, frozenset({rm}))


def _extra_transfer(word: int) -> Timing:
    rn, rd, _, rm = _fields(word)
    base = {rn} if word & 0x00400000 else {rn, rm}
    kind, load = word >> 5 & 3, word >> 20 & 1
    if load:
        return Timing(1, frozenset(base), late=((rd, 2),))
    if kind == 1:
        return Timing(1, frozenset(base | {rd}))
    if kind == 2:
        return Timing(2, frozenset(base), late=((rd + 1, 1),))
    return Timing(2, frozenset(base | {rd}))


def _data_processing(word: int) -> Timing:
    rn, rd, rs, rm = _fields(word)
    opcode, immediate = word >> 21 & 15, word >> 25 & 1
    by_register = not immediate and word >> 4 & 1
    reads = set() if opcode in (13, 15) else {rn}
    reads |= set() if immediate else {rm}
    reads |= {rs} if by_register else set()
    to_pc = rd == PC and opcode not in (8, 9, 10, 11)
    return Timing(1 + bool(by_register) + 2 * to_pc, frozenset(reads))


def _transfer(word: int) -> Timing:
    rn, rd, _, rm = _fields(word)
    by_register = word >> 25 & 1
    scaled = bool(by_register and word >> 4 & 0xFF)
    base = {rn, rm} if by_register else {rn}
    if not word >> 20 & 1:
        return Timing(1 + scaled, frozenset(base | {rd}))
    if rd == PC:
        return Timing(5 + scaled, frozenset(base))
    return Timing(1 + scaled, frozenset(base), late=((rd, 2 if word >> 22 & 1 else 1),))


def _multiple(word: int) -> Timing:
    registers = [i for i in range(16) if word >> i & 1]
    n, base = len(registers), word >> 16 & 15
    cycles = n if n > 1 else 2
    if not word >> 20 & 1:
        return Timing(cycles, frozenset({base, registers[0]}))
    if registers[-1] == PC:
        return Timing(n + 4, frozenset({base}))
    return Timing(cycles, frozenset({base}), late=((registers[-1], 1),) if n > 1 else ())


@functools.cache
def timing(word: int) -> Timing:
    """Cycles and register roles of one ARM instruction word."""
    group = word >> 25 & 7
    if group == 0 and word & 0x90 == 0x90:
        return _multiply(word) if word >> 5 & 3 == 0 else _extra_transfer(word)
    if group == 0 and word & 0x01900000 == 0x01000000:
        return _miscellaneous(word)
    if group in (0, 1):
        return _data_processing(word)
    if group in (2, 3):
        return _transfer(word)
    if group == 4:
        return _multiple(word)
    assert group == 5, f"no timing for 0x{word:08x}"
    return Timing(3, frozenset())


def _stall(step: Timing, now: int, ready: dict[int, int], by_multiply: set[int]) -> int:
    late = max((ready.get(r, 0) - now for r in step.reads), default=0)
    for register in step.adds:
        if not (step.multiply and register in by_multiply):
            late = max(late, ready.get(register, 0) - now)
    return max(late, 0)


def count(steps: Iterable[tuple[int, int, int]]) -> int:
    """Cycles of a trace."""
    now = 0
    ready: dict[int, int] = {}
    by_multiply: set[int] = set()
    for _, word, cpsr in steps:
        if word >> 28 != 14 and not holds(word >> 28, cpsr):
            now += 1
            continue
        step = timing(word & 0x0FFFFFFF)
        now += _stall(step, now, ready, by_multiply) + step.cycles
        for register, late in step.late:
            ready[register] = now + late
            (by_multiply.add if step.multiply else by_multiply.discard)(register)
    return now
