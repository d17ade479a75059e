"""The communications controller: registers, lines, back-pressure (hardware.md 2.4)."""

from collections.abc import Callable

import pytest

from spindle.vboard.chip_host import Rig

CC = 0x10000000
TCR, TXDATA, TXKEY, RSR, RXDATA, RXKEY, SAR = (CC + offset for offset in range(0, 0x1C, 4))
ROUTER = 0xF1000000
EMPTY, FULL, NOT_FULL, OVERRUN = 1 << 31, 1 << 30, 1 << 28, 1 << 29
RECEIVED = 1 << 31
LATENCY = 41
"""From what a core does: an act is an event of the next cycle (chip.h, rule 5)."""


def add_entry(rig: Rig, cycle: int, entry: int, key: int, mask: int, route: int) -> None:
    for base, value in ((0x4000, route), (0x8000, key), (0xC000, mask)):
        rig.write(cycle, ROUTER + base + 4 * entry, value, core=17)
    rig.run(cycle + 1)


def send(rig: Rig, cycle: int, key: int, payload: int | None = None, core: int = 1) -> None:
    if payload is not None:
        rig.write(cycle, TXDATA, payload, core=core)
    rig.write(cycle, TXKEY, key, core=core)


def to_core(core: int) -> int:
    return 1 << (6 + core)


def test_multicast_arrives_after_the_latency(rig: Rig) -> None:
    add_entry(rig, 10, 0, 0x1234, 0xFFFFFFFF, to_core(3))
    send(rig, 100, 0x1234, 0xABCD)
    rig.run(100 + LATENCY)
    assert rig.read(100 + LATENCY - 1, RSR, core=3) == 0
    rig.run(101 + LATENCY)
    assert rig.read(200, RSR, core=3) == RECEIVED | 1 << 28 | 7 << 24 | 2 << 16 | 1
    assert rig.read(300, RXDATA, core=3) == 0xABCD
    assert rig.read(310, RXKEY, core=3) == 0x1234
    assert rig.read(400, RSR, core=3) == 0


def test_payload_only_when_written_since_the_last_send(rig: Rig) -> None:
    add_entry(rig, 10, 0, 0, 0, to_core(3))
    send(rig, 100, 1, 5)
    rig.run(200)
    rig.read(200, RXKEY, core=3)
    send(rig, 300, 2)
    rig.run(400)
    assert rig.read(400, RSR, core=3) >> 16 & 2 == 0


def test_status_lags_one_access(rig: Rig) -> None:
    add_entry(rig, 10, 0, 0, 0, to_core(3))
    send(rig, 100, 1)
    assert rig.read(103, TCR) & EMPTY  # right behind the send
    assert not rig.read(106, TCR) & EMPTY
    rig.run(300)
    rig.read(300, RXKEY, core=3)
    assert rig.read(303, RSR, core=3) & RECEIVED
    assert not rig.read(306, RSR, core=3) & RECEIVED


def test_receiver_of_one_blocks_the_next_packet_until_it_is_read(rig: Rig) -> None:
    rig.write(5, ROUTER, 0x00FF0001, core=17)  # wait for ever
    add_entry(rig, 10, 0, 0, 0, to_core(3))
    send(rig, 100, 1)
    send(rig, 120, 2)
    rig.run(1000)
    assert not rig.read(1000, TCR) & (EMPTY | NOT_FULL)
    assert rig.read(1010, RXKEY, core=3) == 1
    rig.run(1010 + LATENCY)
    assert rig.read(1010 + LATENCY - 1, RXKEY, core=3) == 1
    rig.run(1011 + LATENCY)
    assert rig.read(1011 + LATENCY, RXKEY, core=3) == 2
    assert rig.read(1100, TCR) & (EMPTY | NOT_FULL)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_receiver_depth_is_a_constant(make_rig: Callable[..., Rig], depth: int) -> None:
    rig = make_rig(receiver_depth=depth)
    rig.write(5, ROUTER, 0x00FF0001, core=17)
    add_entry(rig, 10, 0, 0, 0, to_core(3))
    for i in range(depth):
        send(rig, 100 + 50 * i, i)
    assert rig.read(500, TCR) & EMPTY
    send(rig, 510, depth)
    assert not rig.read(600, TCR) & EMPTY
    for i in range(depth + 1):
        assert rig.read(1000 + 100 * i, RXKEY, core=3) == i
    assert rig.read(2000, TCR) & EMPTY


def test_overrun_and_sticky_bits(rig: Rig) -> None:
    rig.write(5, ROUTER, 0x00FF0001, core=17)
    add_entry(rig, 10, 0, 0, 0, to_core(3))
    for i in range(3):
        send(rig, 100 + 20 * i, i)
    assert rig.read(200, TCR) & (OVERRUN | FULL) == OVERRUN | FULL
    rig.write(210, TCR, 0)
    assert rig.read(220, TCR) & (OVERRUN | FULL) == FULL  # it still is full


def test_lines(rig: Rig) -> None:
    for core, source in ((1, 11), (2, 23), (3, 24), (4, 6), (5, 25)):
        rig.write(5, 0x1F000010, 1 << source, core=core)
    assert rig.state(core=1).irq and rig.state(core=2).irq  # an idle transmitter is empty
    add_entry(rig, 10, 0, 0, 0, to_core(3) | to_core(4) | to_core(5))
    send(rig, 100, 1)
    assert not rig.state(core=1).irq
    rig.run(200)
    assert [rig.state(core=core).irq for core in (1, 3, 4, 5)] == [True, True, True, False]
    rig.read(200, RXKEY, core=3)
    assert not rig.state(core=3).irq and rig.state(core=4).irq


def test_arrival_link_may_be_pretended(rig: Rig) -> None:
    """What packet reinjection needs: SAR names the link, default routing follows it."""
    add_entry(rig, 10, 0, 0, 0, to_core(3))
    rig.write(50, SAR, 2 << 24)
    send(rig, 100, 1)
    rig.run(200)
    assert rig.read(200, RSR, core=3) >> 24 & 7 == 2


def test_p2p_shows_source_and_sequence(rig: Rig) -> None:
    rig.write(5, ROUTER, 0x00400301, core=17)  # monitor = core 3
    rig.write(10, ROUTER + 0x10000, 7 << 3 * 5, core=17)  # destination 5: the monitor
    rig.write(50, SAR, 0x0700BEEF)
    rig.write(60, TCR, 0x00400000)
    send(rig, 100, 0x00020005, 77)
    rig.run(200)
    assert rig.read(200, RSR, core=3) & 0xF == 2
    assert rig.read(210, RXDATA, core=3) == 77
    assert rig.read(220, RXKEY, core=3) == 0x0002BEEF
