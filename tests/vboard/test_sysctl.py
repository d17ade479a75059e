"""The system controller at its registers (hardware.md 2.8)."""

from collections.abc import Callable

import pytest

from spindle.vboard.chip_host import FaultCode, Rig

SC = 0xF2000000
CODE = 0x5EC00000
LATENCY = 41
"""From what a core does: an act is an event of the next cycle (chip.h, rule 5)."""


def test_locks_are_taken_once(rig: Rig) -> None:
    assert rig.read(100, SC + 0x100 + 4 * 7, core=1) == 0
    assert rig.read(110, SC + 0x100 + 4 * 7, core=2) == 0x80000000
    assert rig.read(120, SC + 0x100 + 4 * 6, core=2) == 0
    assert rig.read(130, SC + 0x180 + 4 * 7, core=1) == 0x80000000
    assert rig.read(140, SC + 0x100 + 4 * 7, core=2) == 0


def test_flags_and_cpu_ok_need_no_code(rig: Rig) -> None:
    rig.write(100, SC + 0x58, 0b1101)
    rig.write(110, SC + 0x5C, 0b0100)
    rig.run(200)
    assert rig.read(200, SC + 0x58) == 0b1001
    assert rig.read(210, SC + 0x10) == 0x3FFFF
    rig.write(220, SC + 0x14, 1)
    rig.run(300)
    assert rig.read(300, SC + 0x14) == 0x3FFFE


def test_arbitration_has_one_winner(rig: Rig) -> None:
    assert rig.read(100, SC + 0x34) == 0x11F
    assert rig.read(110, SC + 0x80 + 4 * 5) == 0x80000000
    assert rig.read(120, SC + 0x80 + 4 * 2) == 0
    assert rig.read(130, SC + 0x34) == 5
    rig.write(140, SC + 0x34, 3)  # without the code nothing happens
    rig.write(170, SC + 0x34, CODE | 7)
    assert rig.read(200, SC + 0x34) == 7


def test_cpu_interrupt_reaches_another_core_after_the_latency(rig: Rig) -> None:
    rig.write(10, 0x1F000010, 1 << 18, core=2)
    rig.write(100, SC + 0x08, CODE | 1 << 2, core=1)
    rig.run(100 + LATENCY)
    assert not rig.state(core=2).irq
    rig.run(101 + LATENCY)
    assert rig.state(core=2).irq
    assert rig.read(200, SC + 0x0C) == 1 << 2
    rig.write(300, SC + 0x0C, CODE | 1 << 2, core=2)
    rig.run(301)
    assert not rig.state(core=2).irq  # the own line falls at once


def test_soft_reset_restarts_at_the_boot_area(rig: Rig) -> None:
    assert rig.state(core=4).held
    rig.write(90, SC + 0x38, 1)  # boot area = system RAM
    rig.write(100, SC + 0x18, CODE | 1 << 4)
    rig.poke(0xF5000000, bytes.fromhex("0070a0e3") + bytes.fromhex("feffffea"))  # mov r7,#0; b .
    rig.write(200, SC + 0x18, CODE)
    rig.run(200 + LATENCY)
    assert rig.state(core=4).held
    rig.run(400)
    assert not rig.state(core=4).held
    assert rig.reg(15, core=4) == 0xFFFF0004
    assert rig.cycles(core=4) >= 400


def test_clock_stop_freezes_a_core_and_keeps_its_place(rig: Rig) -> None:
    rig.load(bytes.fromhex("010080e2fdffffea"))  # add r0,r0,#1; b .-4
    rig.start(0)
    rig.write(1000, SC + 0x04, CODE | 2, core=2)
    rig.run(2000)
    count = rig.reg(0)
    rig.run(3000)
    assert rig.reg(0) == count > 0
    assert rig.read(3000, SC + 0x04, core=2) == 2
    rig.write(3100, SC + 0x04, CODE, core=2)
    rig.run(4000)
    assert rig.reg(0) > count


def test_serial_rom_answers_zeros_and_outputs_read_back(rig: Rig) -> None:
    rig.write(100, SC + 0x44, 0xFFFFFFC7)  # pins 3, 4, 5 are outputs
    rig.write(130, SC + 0x48, 0x3C)
    assert rig.read(200, SC + 0x48) == 0x38
    rig.write(230, SC + 0x4C, 0x10)
    assert rig.read(300, SC + 0x4C) == 0x28


def test_sleep_register_shows_wfi(rig: Rig) -> None:
    rig.load(bytes.fromhex("900f07ee") + bytes.fromhex("feffffea"))  # mcr p15,0,r0,c7,c0,4
    rig.start(0)
    rig.run(100)
    assert rig.state().asleep
    assert rig.read(100, SC + 0x64, core=2) == 2


def test_clocks_and_resets_read_back(rig: Rig) -> None:
    assert rig.read(100, SC + 0x00) == 0x59111012
    rig.write(130, SC + 0x60, 0x809488A5)
    assert rig.read(200, SC + 0x60) == 0x809488A5
    assert rig.read(230, SC + 0x50) == 0x2010A


def test_byte_access_aborts(rig: Rig) -> None:
    with pytest.raises(OSError, match="bus error"):
        rig.read(100, SC + 0x58, size=1)


def test_register_outside_the_log_stops_an_application(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.read(100, SC + 0x68)
    fault = rig.faults()[0]
    assert (fault.code, fault.core, fault.addr) == (FaultCode.UNSUPPORTED, 1, SC + 0x68)
    assert rig.state().failed
    monitor = make_rig()
    monitor.write(50, SC + 0x34, CODE | 1)
    monitor.read(100, SC + 0x68)
    assert monitor.faults()[0].core == 1 and not monitor.state().failed
