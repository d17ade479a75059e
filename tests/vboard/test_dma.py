"""DMA engines: registers, visibility, shared bandwidth, races (hardware.md 2.3)."""

from collections.abc import Callable

import pytest

from spindle.vboard.assemble import assemble
from spindle.vboard.chip_host import Fault, FaultCode, Rig

DMA = 0x30000000
ADRS, ADRT, DESC, CTRL, STAT, GCTL = (DMA + offset for offset in (4, 8, 0xC, 0x10, 0x14, 0x18))
SDRAM, DTCM = 0x60001000, 0x00400100
TO_SYSTEM = 1 << 19
BUSY, QUEUED, DONE, DONE2 = 1, 4, 1 << 10, 1 << 11
START, FIXED = 1, 100
ENABLE_REG = 0x1F000010


def commit(
    rig: Rig, cycle: int, size: int, to_system: bool = False, core: int = 1, addr: int = SDRAM
) -> int:
    """Commit a transfer at a cycle; return the cycle at which it is done if it moves alone."""
    rig.write(cycle, ADRS, addr, core=core)
    rig.write(cycle, ADRT, DTCM, core=core)
    rig.write(cycle, DESC, 0x01800000 | (TO_SYSTEM if to_system else 0) | size, core=core)
    return cycle + START + FIXED + size // 2


def status(rig: Rig, cycle: int, core: int = 1) -> int:
    return rig.read(cycle, STAT, core=core) & 0xFFFFFF


def test_status_names_the_core(rig: Rig) -> None:
    assert rig.read(10, STAT, core=13) >> 24 == 13


def test_read_becomes_visible_at_done(rig: Rig) -> None:
    data = bytes(range(256)) * 4
    rig.poke(SDRAM, data)
    done = commit(rig, 1000, 1024)
    assert status(rig, done - 1) & (BUSY | DONE) == BUSY
    assert rig.dtcm(at=0x100, size=1024) == bytes(1024)
    rig.run(done + 1)
    assert rig.dtcm(at=0x100, size=1024) == data
    assert status(rig, done + 1) & (BUSY | DONE) == DONE


def test_source_is_read_at_start(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(allow_faults=True)
    rig.poke(SDRAM, b"old!")
    done = commit(rig, 1000, 4)
    rig.write(1050, SDRAM + 0x10000000, 0x21776E6E)
    rig.run(done + 100)
    assert rig.dtcm(at=0x100) == b"old!"
    assert [fault.code for fault in rig.faults()] == [FaultCode.RACE]


def test_write_becomes_visible_at_done(rig: Rig) -> None:
    rig.load(b"data", dtcm=True, at=0x100)
    rig.poke(SDRAM, bytes(4))
    done = commit(rig, 1000, 4, to_system=True)
    rig.run(done)
    assert rig.peek(SDRAM, 4) == bytes(4)
    rig.run(done + 1)
    assert rig.peek(SDRAM, 4) == b"data"


def test_queue_of_two_and_done_counts_down(rig: Rig) -> None:
    rig.poke(SDRAM, bytes(64))
    done = commit(rig, 1000, 64)
    done = commit(rig, 1010, 64) - 1010 + done
    assert status(rig, 1020) & (BUSY | QUEUED) == BUSY | QUEUED
    with pytest.raises(OSError, match="bus error"):
        rig.write(1030, ADRS, SDRAM)
    rig.run(done + 1)
    assert status(rig, done + 1) & (BUSY | QUEUED | DONE | DONE2) == DONE | DONE2
    rig.write(done + 10, CTRL, 8)
    assert status(rig, done + 20) & (DONE | DONE2) == DONE
    rig.write(done + 30, CTRL, 8)
    assert status(rig, done + 40) & (DONE | DONE2) == 0


def test_done_interrupt(rig: Rig) -> None:
    rig.poke(SDRAM, bytes(64))
    rig.write(10, ENABLE_REG, 1 << 12)
    rig.write(20, GCTL, 0xC00)
    done = commit(rig, 1000, 64)
    rig.run(done)
    assert not rig.state().irq
    rig.run(done + 1)
    assert rig.state().irq
    rig.write(done + 10, CTRL, 8)
    assert not rig.state().irq


def ends(rig: Rig, cores: range, size: int) -> list[int]:
    """Cycle at which each core's transfer is done; all start at 1000."""
    for core in cores:
        rig.poke(SDRAM + core * 0x10000, bytes(size))
        commit(rig, 1000, size, core=core, addr=SDRAM + core * 0x10000)
    found = {}
    for cycle in range(1000, 1000 + FIXED + size * len(cores), 8):
        for core in cores:
            if core not in found and status(rig, cycle, core) & DONE:
                found[core] = cycle
    return [found[core] - 1000 for core in cores]


@pytest.mark.parametrize("n_cores,bytes_per_cycle", [(1, 2), (2, 2), (4, 1), (16, 0.25)])
def test_bandwidth_is_shared(
    make_rig: Callable[..., Rig], n_cores: int, bytes_per_cycle: float
) -> None:
    rig = make_rig()
    for cycles in ends(rig, range(1, n_cores + 1), 512):
        assert cycles == pytest.approx(START + FIXED + 512 / bytes_per_cycle, abs=8)


def test_a_short_transfer_is_not_held_up_by_a_long_one(rig: Rig) -> None:
    rig.poke(0x60000000, bytes(0x40000))
    for core in range(1, 5):
        commit(rig, 1000, 0x8000, core=core, addr=0x60000000 + core * 0x8000)
    commit(rig, 2000, 64, core=5, addr=0x60000000)
    share = 4 / 5
    assert not status(rig, int(2000 + START + FIXED + 64 / share) - 2, core=5) & DONE
    assert status(rig, int(2000 + START + FIXED + 64 / share) + 2, core=5) & DONE


def test_bad_addresses_pause_the_engine(rig: Rig) -> None:
    commit(rig, 1000, 64, addr=0x50000000)
    assert status(rig, 1100) & (1 << 15 | 2 | BUSY) == 1 << 15 | 2
    rig.write(1200, CTRL, 0x3F)
    assert status(rig, 1210) == 0


def test_abort_and_soft_reset(rig: Rig) -> None:
    rig.poke(SDRAM, bytes(0x1000))
    commit(rig, 1000, 0x1000)
    commit(rig, 1010, 0x1000)
    rig.write(1500, CTRL, 0x3F)
    assert status(rig, 1510) & (BUSY | QUEUED | DONE) == 0
    rig.run(10_000)
    assert rig.faults() == [] and not status(rig, 10_000) & DONE
    commit(rig, 10_100, 0x1000)
    rig.write(10_200, 0xF2000018, 0x5EC00002, core=2)
    rig.run(20_000)
    assert status(rig, 20_000) == 1 << 17


def test_crc_is_untested(rig: Rig) -> None:
    rig.write(1000, DESC, 0x01900004)
    assert rig.faults()[0].code == FaultCode.UNTESTED


TRANSFER = """
    ldr r0, =0x40000000
    ldr r1, ={system}
    str r1, [r0, #4]
    ldr r2, =0x00400100
    str r2, [r0, #8]
    ldr r1, ={desc}
    str r1, [r0, #12]
"""
DRAIN = "1: ldr r3, [r0, #20]\n tst r3, #0x400\n beq 1b\n"
HALT = "\n mcr p15, 0, r0, c7, c0, 4\n b .\n .ltorg\n"
READ = TRANSFER.format(system="0x60001000", desc="0x01800040")
WRITE = TRANSFER.format(system="0x60001000", desc="0x01880040")


def run_code(rig: Rig, source: str) -> list[Fault]:
    rig.poke(SDRAM, bytes(64))
    rig.load(assemble(source + HALT))
    rig.start(0)
    rig.run(20_000)
    return rig.faults()


@pytest.mark.parametrize(
    "source,races",
    [
        (READ + "ldr r4, [r2, #60]", True),
        (READ + "str r4, [r2]", True),
        (READ + "ldr r4, [r2, #64]", False),
        (READ + DRAIN + "ldr r4, [r2, #60]", False),
        (WRITE + "ldr r4, [r2]", False),
        (WRITE + "str r4, [r2, #60]", True),
        (WRITE + "str r4, [r2, #-4]", False),
        (WRITE + "ldr r5, =0x60001000\n ldr r4, [r5]", True),
        (WRITE + DRAIN + "ldr r5, =0x60001000\n ldr r4, [r5]", False),
        (WRITE + "ldr r5, =0x70001000\n str r4, [r5, #60]", True),
    ],
)
def test_races_of_a_core_with_its_own_engine(rig: Rig, source: str, races: bool) -> None:
    faults = run_code(rig, source)
    assert [fault.code for fault in faults] == ([FaultCode.RACE] if races else [])
    assert rig.state().failed == races


def test_races_between_engines(rig: Rig) -> None:
    rig.poke(SDRAM, bytes(64))
    commit(rig, 1000, 64, to_system=True, core=1)
    commit(rig, 1020, 64, core=2, addr=SDRAM + 60)
    rig.run(3000)
    assert [(fault.code, fault.core) for fault in rig.faults()] == [(FaultCode.RACE, 2)]
    commit(rig, 4000, 64, core=1)
    commit(rig, 4010, 64, core=3)
    rig.run(6000)
    assert len(rig.faults()) == 1  # two readers are no race


def test_code_that_arrives_by_dma_is_what_runs(rig: Rig) -> None:
    """Decoded instructions of the ITCM are dropped when a transfer overwrites them."""
    loop = "1: add r6, r6, #1\n b 1b\n"
    rig.load(assemble(loop))
    rig.start(0)
    rig.run(500)
    rig.poke(SDRAM, assemble("1: add r7, r7, #1\n b 1b\n"))
    rig.write(600, ADRS, SDRAM)
    rig.write(600, ADRT, 0)
    rig.write(600, DESC, 0x01800008)
    rig.run(2000)
    assert rig.reg(7) > 0
