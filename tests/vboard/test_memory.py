"""Memory, its aliases, the write buffer and the checks on it (hardware.md 1.2)."""

from collections.abc import Callable

import pytest

from spindle.vboard.chip_host import FaultCode, Rig

BUFFERED, UNBUFFERED = 0x60000000, 0x70000000
WORD = 25
STAT = 0x30000014


def test_sdram_mirrors_at_128_mb(rig: Rig) -> None:
    rig.write(100, UNBUFFERED, 0x12345678)
    rig.run(200)
    for addr in (0x60000000, 0x68000000, 0x70000000, 0x78000000):
        assert rig.read(200, addr) == 0x12345678


def test_waits_of_loads_and_stores(rig: Rig) -> None:
    assert rig.write(100, UNBUFFERED, 1) == WORD - 1
    assert rig.read_wait(200, UNBUFFERED) == (WORD - 1, 1)
    assert rig.write(300, BUFFERED, 2) == 0
    assert rig.write(301, BUFFERED + 4, 3) == WORD - 1  # the first is still in the buffer
    assert rig.read_wait(400, BUFFERED) == (WORD - 1, 2)
    assert rig.write(500, BUFFERED, 5) == 0
    assert rig.read_wait(505, BUFFERED) == (WORD - 5 + WORD - 1, 5)


def test_buffered_store_is_late_for_others(rig: Rig) -> None:
    rig.poke(BUFFERED, bytes(4))
    rig.write(100, BUFFERED, 7, core=1)
    assert rig.read(100 + WORD - 1, BUFFERED, core=2) == 0
    assert rig.read(100 + WORD, BUFFERED, core=2) == 7


def test_write_buffer_shows_in_dma_status(rig: Rig) -> None:
    rig.write(100, BUFFERED, 7)
    assert rig.read(101, STAT) & 0x18 == 0x18
    assert rig.read(100 + WORD, STAT) & 0x18 == 0


def test_unbuffered_store_overtakes_a_buffered_one(rig: Rig) -> None:
    rig.poke(BUFFERED, bytes(8))
    rig.write(100, BUFFERED, 1, core=1)
    rig.write(101, UNBUFFERED + 4, 1, core=1)
    assert rig.read(110, BUFFERED + 4, core=2) == 1
    assert rig.read(110, BUFFERED, core=2) == 0


@pytest.mark.parametrize("size,expected", [(1, 0x111111AA), (2, 0x1111BBAA)])
def test_narrow_stores(rig: Rig, size: int, expected: int) -> None:
    for cycle, addr in ((100, UNBUFFERED), (200, 0xF5000000)):
        rig.write(cycle, addr, 0x11111111)
        rig.write(cycle + 50, addr, 0xBBAA, size=size)
        assert rig.read(cycle + 90, addr) == expected


def test_unmapped_space_aborts(rig: Rig) -> None:
    for addr in (0x50000000, 0x80000000, 0xE7000000, 0xF7000000, 0x00500000):
        with pytest.raises(OSError, match="bus error"):
            rig.read(100, addr)


def test_read_of_memory_nobody_wrote(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(pristine=False)
    rig.write(100, UNBUFFERED, 5)
    rig.read(200, UNBUFFERED)
    assert rig.faults() == []
    rig.read(300, UNBUFFERED + 4)
    assert [fault.code for fault in rig.faults()] == [FaultCode.UNDEFINED]


def test_garbage_depends_on_the_seed_alone(make_rig: Callable[..., Rig]) -> None:
    first, again, other = (make_rig(pristine=False, seed=seed) for seed in (3, 3, 4))
    for addr, size in ((0x61234560, 64), (0xF5000000, 0x8000)):
        assert first.peek(addr, size) == again.peek(addr, size) != other.peek(addr, size)
    assert first.dtcm(size=64) == again.dtcm(size=64) != other.dtcm(size=64)


def test_guard_stops_a_write_outside_the_arena(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(guard_base=0x61000000, guard_size=0x1000)
    rig.write(100, 0x71000FFC, 1)
    assert rig.faults() == []
    rig.write(200, 0x71001000, 1)
    assert rig.faults()[0].code == FaultCode.GUARD
    for offset, value in ((4, 0x61000FF0), (8, 0x00400000), (12, 0x01880014)):
        rig.write(300, 0x30000000 + offset, value, core=2)  # the last word lies outside
    rig.run(400)
    assert [(fault.code, fault.core) for fault in rig.faults()[1:]] == [(FaultCode.GUARD, 2)]


def test_boot_area_shows_rom_or_system_ram(rig: Rig) -> None:
    rig.poke(0xF5000000, b"RAM!")
    assert rig.read(100, 0xFFFF0000) == 0
    rig.write(150, 0xF2000038, 1)
    assert rig.read(200, 0xFFFF0000) == int.from_bytes(b"RAM!", "little")
