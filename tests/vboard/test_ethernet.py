"""Ethernet: descriptors, ring, pacing both ways (hardware.md 2.10, vboard.md S14, S15)."""

from collections.abc import Callable

from spindle.vboard.chip_host import Rig

ETH = 0xF4000000
CONTROL, STATUS, TX_LEN, TX_CMD, RX_CMD = (ETH + 0xC000 + offset for offset in range(0, 0x14, 4))
INT_CLR, RX_BUF_RP, RX_DESC_RP = ETH + 0xC020, ETH + 0xC024, ETH + 0xC02C
RX, DESC = ETH + 0x4000, ETH + 0x8000
ENABLE_REG = 0x1F000010
RX_BYTE, TX_BYTE, LATENCY = 48, 16, 6000
ACT = 1
"""What a core does at a cycle is an event of the next one (chip.h, rule 5)."""
RING = 0xC00


def boot(rig: Rig) -> Rig:
    rig.write(10, CONTROL, 0x45B)
    rig.write(50, ENABLE_REG, 3 << 19)
    rig.run(100)
    return rig


def frame(size: int, seed: int = 0) -> bytes:
    return bytes((seed + i) & 0xFF for i in range(size))


def unread(rig: Rig, cycle: int) -> int:
    return rig.read(cycle, STATUS) >> 1 & 0x3F


def take(rig: Rig, cycle: int) -> bytes:
    """Read the oldest frame as the vendor's monitor does: linearly, then pop."""
    size = rig.read(cycle, DESC + 4 * (rig.read(cycle, RX_DESC_RP) & 0x3F)) & 0x7FF
    start = rig.read(cycle, RX_BUF_RP) & 0xFFF
    words = [rig.read(cycle, RX + start + i) for i in range(0, size, 4)]
    rig.write(cycle + 1, RX_CMD, 0)
    return b"".join(word.to_bytes(4, "little") for word in words)[:size]


def test_frame_arrives_when_its_last_byte_has(rig: Rig) -> None:
    boot(rig)
    assert rig.ethernet_receive(1000, frame(100))
    done = 1000 + 100 * RX_BYTE
    assert unread(rig, done - 1) == 0
    assert unread(rig, done) == 1
    rig.run(done + 41)
    assert rig.state().irq
    assert take(rig, done + 50) == frame(100)
    rig.run(done + 200)
    assert unread(rig, done + 200) == 0
    assert not rig.state().irq


def test_ring_waits_for_room_and_the_backlog_keeps_order(rig: Rig) -> None:
    boot(rig)
    sizes = [400, 777, 1514, 60, 1001, 402, 1514, 99] * 3
    for i, size in enumerate(sizes):
        assert rig.ethernet_receive(1000, frame(size, i))
    rig.run(5_000_000)
    assert 0 < unread(rig, 5_000_000) < len(sizes)
    for i, size in enumerate(sizes):
        assert take(rig, 5_000_100 + 200_000 * i) == frame(size, i)
    assert unread(rig, 20_000_000) == 0


def test_backlog_is_large_but_finite(rig: Rig) -> None:
    boot(rig)
    n = 0
    while rig.ethernet_receive(1000, frame(1500)):
        n += 1
    assert n > 2500


def test_frames_before_the_receiver_is_enabled_are_counted(rig: Rig) -> None:
    rig.ethernet_receive(10, frame(64))
    rig.run(10_000)
    assert rig.read(10_000, STATUS) >> 16 == 1


def test_transmit_is_paced_and_has_wire_latency(rig: Rig) -> None:
    boot(rig)
    for i, byte in enumerate(frame(64)):
        rig.write(200 + 30 * i, ETH + i, byte, size=1)
    rig.write(5000, TX_LEN, 64)
    rig.write(5030, TX_CMD, 1)
    sent = 5030 + ACT + 64 * TX_BYTE
    assert rig.read(sent - 1, STATUS) & 1
    assert not rig.read(sent, STATUS) & 1
    assert rig.frames() == [(sent + LATENCY, frame(64))]
    rig.run(sent + 41)
    assert rig.state().irq
    rig.write(sent + 100, INT_CLR, 1)
    assert not rig.state(core=1).irq


def test_chip_without_ethernet_reads_zero(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(has_ethernet=False)
    rig.write(10, CONTROL, 0x45B)
    assert rig.read(100, CONTROL) == 0
    assert not rig.ethernet_receive(200, frame(64))


def test_link_is_up(rig: Rig) -> None:
    assert rig.read(100, ETH + 0xC01C) & 2
