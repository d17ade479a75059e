"""The boot ROM's receiver of the nearest-neighbour boot (hardware.md 5.3)."""

from collections.abc import Callable

from spindle.vboard.assemble import assemble
from spindle.vboard.chip_host import Rig

TCR, TXDATA, TXKEY = 0x10000000, 0x10000004, 0x10000008
EAST = 0x00800000
PROGRAM = assemble("ldr r7, =0x12345678\n 1: b 1b\n .ltorg").ljust(1024, b"\0")
WORDS = [int.from_bytes(PROGRAM[i : i + 4], "little") for i in range(0, 1024, 4)]


def send(rig: Rig, cycle: int, key: int, payload: int) -> None:
    rig.write(cycle, TCR, EAST)
    rig.write(cycle, TXDATA, payload)
    rig.write(cycle, TXKEY, key)


def send_image(rig: Rig, words: list[int], skip: int = -1) -> int:
    """Start, the words of one block, control; returns the cycle of the last packet."""
    send(rig, 1000, 0x01000003, 0)
    for i, word in enumerate(words):
        if i != skip:
            send(rig, 2000 + 200 * i, 0x03000003 | i << 8, word)
    send(rig, 100_000, 0x05000103, 0)
    return 100_000


def test_neighbour_starts_with_the_image_in_both_memories(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(n_chips=4)
    rig.rom_power_on(9, chip=1)
    end = send_image(rig, WORDS)
    rig.run(end + 1000)
    assert rig.state(core=9, chip=1).held is False
    assert rig.dtcm(core=9, chip=1, at=0x8000, size=1024) == PROGRAM
    rig.run(end + 50_000)
    assert rig.reg(7, core=9, chip=1) == 0x12345678
    assert rig.read(end + 60_000, 0xF2000034, core=2, chip=1) & 0x1F == 9


def test_missing_word_keeps_the_chip_waiting(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(n_chips=4)
    rig.rom_power_on(9, chip=1)
    end = send_image(rig, WORDS, skip=77)
    rig.run(end + 50_000)
    assert rig.state(core=9, chip=1).held
    send(rig, end + 60_000, 0x03000003 | 77 << 8, WORDS[77])
    send(rig, end + 61_000, 0x05000103, 0)
    rig.run(end + 100_000)
    assert rig.reg(7, core=9, chip=1) == 0x12345678


def test_image_from_the_host(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.rom_power_on(3, srom=bytes(range(32)))
    assert rig.peek(0xF5007FE0, 32) == bytes(range(32))
    rig.rom_load(1000, PROGRAM)
    rig.run(50_000)
    assert rig.reg(7, core=3) == 0x12345678
