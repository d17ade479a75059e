"""The timers at their registers (hardware.md 2.2)."""

import pytest

from spindle.vboard.chip_host import Rig

TIMER = (0x11000000, 0x11000020)
LOAD, VALUE, CONTROL, INTCLR, BGLOAD = 0x00, 0x04, 0x08, 0x0C, 0x18
ENABLE_REG = 0x1F000010


def test_reset_values(rig: Rig) -> None:
    assert rig.read(10, TIMER[0] + VALUE) == 0xFFFFFFFF
    assert rig.read(20, TIMER[0] + CONTROL) == 0x20
    assert rig.read(30, TIMER[0] + LOAD) == 0


@pytest.mark.parametrize("index", [0, 1])
def test_periodic_interrupts_exactly_every_load_cycles(rig: Rig, index: int) -> None:
    timer = TIMER[index]
    rig.write(10, ENABLE_REG, 1 << (4 + index))
    rig.write(20, timer + CONTROL, 0xE2)
    rig.write(100, timer + LOAD, 1000)
    assert rig.timer_expiry(index) == 1100
    assert rig.read(350, timer + VALUE) == 750
    rig.run(1100)
    assert not rig.state().irq
    rig.run(1101)
    assert rig.state().irq
    rig.write(1200, timer + INTCLR, 0)
    assert not rig.state().irq
    assert rig.timer_expiry(index) == 2100
    rig.run(2101)
    assert rig.state().irq


def test_one_shot_stops_and_load_starts_it_again(rig: Rig) -> None:
    rig.write(10, ENABLE_REG, 1 << 5)
    rig.write(20, TIMER[1] + CONTROL, 0xE3)
    rig.write(100, TIMER[1] + LOAD, 50)
    rig.run(10_000)
    assert rig.state().irq
    assert rig.read(10_000, TIMER[1] + VALUE) == 0
    assert rig.read(10_010, TIMER[1] + CONTROL) == 0xE3  # enable stays set
    rig.write(10_020, TIMER[1] + INTCLR, 0)
    rig.write(10_100, TIMER[1] + LOAD, 70)
    assert rig.timer_expiry(1) == 10_170
    rig.run(10_171)
    assert rig.state().irq


def test_background_load_changes_only_the_next_period(rig: Rig) -> None:
    rig.write(20, TIMER[0] + CONTROL, 0xE2)
    rig.write(100, TIMER[0] + LOAD, 1000)
    rig.write(200, TIMER[0] + BGLOAD, 300)
    assert rig.timer_expiry(0) == 1100
    rig.run(1101)
    assert rig.timer_expiry(0) == 1400
    assert rig.read(1110, TIMER[0] + LOAD) == 300


def test_prescale_and_free_running(rig: Rig) -> None:
    rig.write(20, TIMER[0] + CONTROL, 0x86)  # free running, /16, 32 bits, no interrupt
    rig.write(100, TIMER[0] + LOAD, 10)
    assert rig.read(100 + 47, TIMER[0] + VALUE) == 8
    rig.run(300)
    assert rig.timer_expiry(0) == 100 + 160 + 16 * 0xFFFFFFFF


def test_new_load_before_expiry_moves_the_interrupt(rig: Rig) -> None:
    rig.write(10, ENABLE_REG, 1 << 4)
    rig.write(20, TIMER[0] + CONTROL, 0xE2)
    rig.write(100, TIMER[0] + LOAD, 100)
    rig.write(150, TIMER[0] + LOAD, 100)
    rig.run(201)
    assert not rig.state().irq
    rig.run(251)
    assert rig.state().irq
