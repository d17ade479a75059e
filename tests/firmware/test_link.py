"""The linked firmware and its .aplx: memories, limits, symbols, and where FIQ may be off."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

from spindle.firmware_build import build, elf
from spindle.spec import chip
from spindle.spec.tables import GROUPS

MASKERS = {"hal_pump", "port_disable_irq", "port_dma_wait", "port_restore"}
MASKERS |= {"port_sleep_unless", "barrier_look"}
"""Code in ITCM that writes CPSR; the last two mask FIQ too, for the few cycles before WFI."""


@pytest.fixture(scope="module")
def firmware() -> build.Firmware:
    return build.build()


@pytest.fixture(scope="module")
def linked(firmware: build.Firmware) -> elf.Elf:
    return elf.read(firmware.elf)


def test_memories(linked: elf.Elf, capsys: pytest.CaptureFixture[str]) -> None:
    text, cold, bss, tables = map(linked.section, (".text", ".cold", ".bss", ".tables"))
    groups = {g.name: linked.size_of(f".{g.name.lower()}") for g in GROUPS[1:]}
    assert (text.addr, cold.addr, bss.addr) == (0, chip.SYSRAM_USER_BASE, chip.DTCM_BASE)
    assert text.size <= chip.ITCM_WINDOW_BASE
    assert max(groups.values()) <= chip.ITCM_WINDOW_BYTES
    assert linked.size_of(".open") <= build.window_bytes("open")
    assert cold.size <= chip.SYSRAM_USER_BYTES
    assert bss.size <= chip.DTCM_RUNTIME_BYTES - 4
    stacks = chip.DTCM_BASE + chip.DTCM_BYTES - chip.DTCM_MODE_STACKS_BYTES
    assert tables.addr == stacks - chip.DTCM_TABLES_BYTES
    assert tables.size <= chip.DTCM_TABLES_BYTES
    assert linked.size_of(".data") == 0
    with capsys.disabled():
        print(f"\nITCM {text.size}, overlays {groups}, SysRAM {cold.size}, ", end="")
        print(f"DTCM {bss.size} and {tables.size} bytes", end="")


def test_vectors(linked: elf.Elf) -> None:
    assert linked.address("_start") == 0
    assert linked.address("reset_target") > 0x1C
    assert linked.address("firmware") == chip.DTCM_BASE


def test_nothing_is_missing_and_no_library_came_in(linked: elf.Elf) -> None:
    assert linked.undefined == set()
    foreign = {s.name for s in linked.symbols if s.name.startswith(("__aeabi", "__clz", "mem"))}
    assert foreign <= {"__aeabi_uidiv", "__aeabi_uidivmod", "__clzsi2"}


def test_aplx_puts_every_section_in_its_place(firmware: build.Firmware, linked: elf.Elf) -> None:
    """Runs the records as SC&MP's loader does."""
    data = firmware.aplx.read_bytes()
    assert len(data) % 4 == 0
    memory: dict[int, bytes] = {}
    started = None
    for at in range(0, 0x1000, 16):
        command, a, b, c = struct.unpack_from("<4I", data, at)
        if command == build.APLX_RCOPY:
            assert a % 4 == 0 and c % 32 == 0 and at + b + c <= len(data)
            memory[a] = data[at + b : at + b + c]
        elif command == build.APLX_FILL:
            assert b % 32 == 0
            memory[a] = struct.pack("<I", c) * (b // 4)
        elif command == build.APLX_EXEC:
            started = a
        else:
            break
    raw = firmware.elf.read_bytes()
    for name in build.COPIED:
        section = linked.section(name)
        code = build.contents(raw, section)
        assert memory[section.addr] == code and len(code) - section.size < build.APLX_UNIT
    assert len(memory[chip.DTCM_BASE]) >= linked.section(".bss").size
    assert not any(memory[chip.DTCM_BASE])
    assert started == 0


def arm_words(linked: elf.Elf, data: bytes, name: str) -> list[tuple[int, int]]:
    """(address, word) of the ARM instructions of a section, by its mapping symbols."""
    section = linked.section(name)
    end = section.addr + section.size
    marks = sorted(
        (s.value, s.name[1])
        for s in linked.symbols
        if s.name[:2] in ("$a", "$t", "$d") and linked.sections[s.section] == section
    )
    marks.append((end, "d"))
    content = build.contents(data, section)
    return [
        (at, struct.unpack_from("<I", content, at - section.addr)[0])
        for (start, kind), (stop, _) in pairwise(marks)
        if kind == "a"
        for at in range(start, stop - 3, 4)
    ]


def function_at(linked: elf.Elf, address: int) -> str:
    names = ((s.value & ~1, s.name) for s in linked.symbols if s.defined and s.name[0] not in "$.")
    return max((value, name) for value, name in names if value <= address)[1]


def writes_mode_bits(word: int) -> bool:
    """MSR to the control field of CPSR, from a register or a constant."""
    is_msr = word & 0x0FF0FFF0 == 0x0120F000 or word & 0x0FF0F000 == 0x0320F000
    return is_msr and bool(word >> 16 & 1)


def test_who_masks_interrupts(firmware: build.Firmware, linked: elf.Elf) -> None:
    """Only these functions write CPSR in ITCM, no kernel in the window; Thumb code cannot."""
    data = firmware.elf.read_bytes()
    for name in (".text", *(f".{group.name.lower()}" for group in GROUPS[1:])):
        words = arm_words(linked, data, name) if linked.size_of(name) else []
        found = {function_at(linked, at) for at, word in words if writes_mode_bits(word)}
        assert found == (MASKERS if name == ".text" else set())


def test_handlers_are_always_there(linked: elf.Elf) -> None:
    handlers = ("_start", "irq_mailbox", "irq_dma", "irq_alarm", "irq_spurious", "crash_reset")
    for name in (*handlers, "mailbox_interrupt", "hal_give_up", "overlay_load", "overlay_copy"):
        at = linked.address(name)
        assert at < chip.ITCM_WINDOW_BASE or at >= chip.SYSRAM_USER_BASE


def test_tables(firmware: build.Firmware) -> None:
    assert any(line.endswith(" open_session") for line in firmware.symbols.read_text().splitlines())
    sizes = firmware.sizes.read_text()
    assert f"of {chip.ITCM_WINDOW_BASE} in ITCM" in sizes
    assert all(f" {group.name.lower()}, of " in sizes for group in GROUPS[1:])
