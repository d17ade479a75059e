"""The router: tables, links, peek and poke, drops, diagnostics (hardware.md 2.6)."""

from collections.abc import Callable

import pytest

from spindle.vboard.chip_host import Rig

CC, ROUTER, SC = 0x10000000, 0xF1000000, 0xF2000000
TCR, TXDATA, TXKEY, RSR, RXDATA, RXKEY = (CC + offset for offset in range(0, 0x18, 4))
DUMP_HEADER, DUMP_KEY, DUMP_DATA, DUMP_OUTPUTS, DUMP_STAT = (
    ROUTER + o for o in range(0x18, 0x2C, 4)
)
MONITOR = 5
PACKET, HOP = 40, 100
ACT = 1
"""What a core does at a cycle is an event of the next one (chip.h, rule 5)."""
E, NE, N, W, SW, S = range(6)
CONTROL = 0x00400001 | MONITOR << 8


def boot(rig: Rig, n_chips: int = 1, control: int = CONTROL) -> Rig:
    """Monitor, router control and diagnostic filters as the vendor's monitor sets them."""
    filters = [0x01FE7CF1, 0x01FEBCF1, 0x01FE7CF2, 0x01FEBCF2, 0x01FE7CF4, 0x01FEBCF4]
    filters += [0x01FE7CF8, 0x01FEBCF8, 0x0001FCF1, 0x0001FCF2, 0x0001FCF4, 0x0001FCF8]
    for chip in range(n_chips):
        rig.write(1, SC + 0x34, 0x5EC00000 | MONITOR, core=MONITOR, chip=chip)
        rig.write(2, ROUTER, control, core=MONITOR, chip=chip)
        for i, value in enumerate(filters):
            rig.write(3, ROUTER + 0x200 + 4 * i, value, core=MONITOR, chip=chip)
        rig.write(4, ROUTER + 0x2C, 0xFFFF0000, core=MONITOR, chip=chip)
        rig.write(5, ROUTER + 0x2C, 0x0000FFFF, core=MONITOR, chip=chip)
    rig.run(10)
    return rig


def add_entry(rig: Rig, entry: int, key: int, mask: int, route: int, chip: int = 0) -> None:
    for base, value in ((0x4000, route), (0x8000, key), (0xC000, mask)):
        rig.write(20, ROUTER + base + 4 * entry, value, core=MONITOR, chip=chip)
    rig.run(21)


def send(rig: Rig, cycle: int, key: int, core: int = 1, chip: int = 0, tcr: int = 0) -> None:
    rig.write(cycle, TCR, tcr, core=core, chip=chip)
    rig.write(cycle, TXKEY, key, core=core, chip=chip)


def counter(rig: Rig, cycle: int, index: int, chip: int = 0) -> int:
    return rig.read(cycle, ROUTER + 0x300 + 4 * index, core=MONITOR, chip=chip)


def cores(*numbers: int) -> int:
    return sum(1 << (6 + n) for n in numbers)


def test_lowest_matching_entry_wins(rig: Rig) -> None:
    boot(rig)
    add_entry(rig, 1023, 0x10, 0xFFFFFFF0, cores(2))
    add_entry(rig, 0, 0x12, 0xFFFFFFFF, cores(3))
    send(rig, 100, 0x12)
    send(rig, 120, 0x13)
    rig.run(300)
    assert rig.read(300, RXKEY, core=3) == 0x12
    assert rig.read(300, RXKEY, core=2) == 0x13


def test_tables_read_back_but_the_cams_abort(rig: Rig) -> None:
    boot(rig)
    add_entry(rig, 7, 1, 1, 0x00123456)
    assert rig.read(50, ROUTER + 0x4000 + 28) == 0x123456
    assert rig.read(60, ROUTER + 0x10000) == 0xDB6DB6
    for base in (0x8000, 0xC000):
        with pytest.raises(OSError, match="bus error"):
            rig.read(70, ROUTER + base)


def test_local_miss_is_dropped_and_counted(rig: Rig) -> None:
    boot(rig)
    send(rig, 100, 0xBAD)
    rig.run(200)
    assert rig.router_counts() == (1, 1, 0)
    assert rig.read(200, DUMP_KEY) == 0xBAD
    assert rig.read(210, DUMP_HEADER) >> 24 == 7
    assert rig.read(220, DUMP_STAT) == 1 << 31
    assert rig.read(250, DUMP_STAT) == 0
    assert counter(rig, 300, 8) == 1
    assert rig.read(400, TCR) >> 31  # the transmitter is free again


def test_one_hop_costs_its_latency_and_default_routing_goes_straight(
    make_rig: Callable[..., Rig],
) -> None:
    rig = boot(make_rig(n_chips=4), 4)
    add_entry(rig, 0, 9, 0xFFFFFFFF, 1 << E)
    add_entry(rig, 0, 9, 0xFFFFFFFF, cores(2), chip=1)
    send(rig, 100, 9)
    rig.run(100 + HOP + PACKET)
    assert not rig.read(100 + HOP + PACKET - 1, RSR, core=2, chip=1)
    rig.run(101 + HOP + PACKET)
    assert rig.read(300, RSR, core=2, chip=1) >> 24 & 7 == W
    assert counter(rig, 400, 0) == 1 and counter(rig, 400, 1, chip=1) == 1
    add_entry(rig, 1, 8, 0xFFFFFFFF, 1 << E)
    add_entry(rig, 2, 8 << 8, 0xFFFFFFFF, 1 << N)
    send(rig, 1000, 8 << 8)  # chip 2 has no entry: on to the north, which is chip 0 again ...
    rig.run(1000 + 3 * HOP + 50)
    assert rig.router_counts(chip=2)[0] >= 1


def test_multicast_copies_go_to_links_and_cores(make_rig: Callable[..., Rig]) -> None:
    rig = boot(make_rig(n_chips=4), 4)
    add_entry(rig, 0, 9, 0xFFFFFFFF, 1 << E | 1 << N | cores(2, 3))
    for chip in (1, 2):
        add_entry(rig, 0, 9, 0xFFFFFFFF, cores(4), chip=chip)
    send(rig, 100, 9)
    rig.run(1000)
    assert [rig.read(1000, RXKEY, core=core) for core in (2, 3)] == [9, 9]
    assert [rig.read(1100, RXKEY, core=4, chip=chip) for chip in (1, 2)] == [9, 9]


def test_blocked_output_drops_after_wait1(rig: Rig) -> None:
    """0x40 is 240 router clocks = 360 cycles; the free output gets its copy all the same."""
    boot(rig, control=CONTROL | 4)
    rig.write(30, 0x1F000010, 1 << 16, core=7)
    add_entry(rig, 0, 9, 0xFFFFFFFF, cores(2, 3))
    send(rig, 100, 9)
    rig.run(200)
    rig.read(200, RXKEY, core=3)
    send(rig, 1000, 9)  # core 2 has not read the first
    rig.run(1000 + ACT + 360)
    assert rig.router_counts() == (1, 0, 0)
    rig.run(1001 + ACT + 360)
    assert rig.router_counts() == (2, 1, 0)
    assert not rig.state(core=7).irq
    rig.run(1001 + ACT + 360 + PACKET)
    assert rig.state(core=7).irq  # the dump interrupt
    assert rig.read(1500, DUMP_OUTPUTS, core=7) == cores(2)
    assert rig.read(1510, DUMP_STAT, core=7) == 1 << 31
    assert not rig.state(core=7).irq
    assert rig.read(1600, RXKEY, core=3) == 9
    assert counter(rig, 1700, 8) == 1


def test_everything_waits_behind_a_blocked_packet(rig: Rig) -> None:
    boot(rig)
    add_entry(rig, 0, 1, 0xFFFFFFFF, cores(2))
    add_entry(rig, 1, 2, 0xFFFFFFFF, cores(3))
    send(rig, 100, 1)
    send(rig, 200, 1)
    send(rig, 210, 2, core=4)
    rig.run(200 + 360 + PACKET)
    assert not rig.read(200 + 360 + PACKET - 1, RSR, core=3)
    rig.run(201 + 360 + PACKET)
    assert rig.read(700, RXKEY, core=3) == 2


def test_second_drop_sets_overflow(rig: Rig) -> None:
    boot(rig)
    for i in range(2):
        send(rig, 100 + 50 * i, i)
    assert rig.read(300, DUMP_STAT) == 3 << 30
    assert rig.read(310, DUMP_KEY) == 0


def test_link_that_nobody_answers_blocks(rig: Rig) -> None:
    boot(rig)
    add_entry(rig, 0, 9, 0xFFFFFFFF, 1 << S)
    send(rig, 100, 9)
    rig.run(2000)
    assert rig.read(2000, DUMP_OUTPUTS) == 1 << S


def test_link_rate_is_limited_by_its_symbols(make_rig: Callable[..., Rig]) -> None:
    rig = boot(make_rig(n_chips=4, receiver_depth=8), 4)
    add_entry(rig, 0, 0, 0, 1 << E)
    add_entry(rig, 0, 0, 0, cores(2), chip=1)
    for i in range(5):
        send(rig, 100 + 10 * i, i)
    rig.run(100 + HOP + PACKET + 4 * 44)
    before = rig.state(core=2, chip=1)
    rig.run(1000)
    assert not before.failed
    assert [rig.read(1000 + 20 * i, RXKEY, core=2, chip=1) for i in range(5)] == list(range(5))


def test_peek_and_poke_need_no_software(make_rig: Callable[..., Rig]) -> None:
    rig = boot(make_rig(n_chips=4), 1)
    send(rig, 100, SC, core=MONITOR, tcr=0x00A00000 | E << 18)
    rig.run(100 + 2 * HOP + PACKET)
    assert not rig.read(100 + 2 * HOP + PACKET - 1, RSR, core=MONITOR)
    rig.run(101 + 2 * HOP + PACKET)
    assert rig.read(400, RSR, core=MONITOR) & 0xF == 4
    assert rig.read(410, RXDATA, core=MONITOR) == 0x59111012
    assert rig.read(420, RXKEY, core=MONITOR) == SC | 1
    rig.write(500, TXDATA, 0x55, core=MONITOR)
    send(rig, 500, 0xF5000010, core=MONITOR, tcr=0x00A00000 | E << 18)
    rig.run(1000)
    assert rig.read(1000, RXKEY, core=MONITOR) == 0xF5000011
    assert rig.peek(0xF5000010, 4, chip=1) == b"\x55\0\0\0"
    send(rig, 1100, 0x50000000, core=MONITOR, tcr=0x00A00000 | E << 18)
    rig.run(2000)
    assert rig.read(2000, RXKEY, core=MONITOR) == 0x50000003


def test_nearest_neighbour_reaches_the_monitor(make_rig: Callable[..., Rig]) -> None:
    rig = boot(make_rig(n_chips=4), 4)
    send(rig, 100, 0x77, core=MONITOR, tcr=0x00800000 | 6 << 18)  # all links
    rig.run(1000)
    assert rig.read(1000, RXKEY, core=MONITOR, chip=3) == 0x77
    assert sum(counter(rig, 1100, 5, chip=chip) for chip in range(1, 4)) >= 3


def test_p2p_table_forwards_and_drops(make_rig: Callable[..., Rig]) -> None:
    rig = boot(make_rig(n_chips=4), 4)
    rig.write(30, ROUTER + 0x10000, 0xDB6DB6 & ~7 | E, core=MONITOR)
    rig.write(30, ROUTER + 0x10000, 0xDB6DB6 | 7, core=MONITOR, chip=1)
    send(rig, 100, 0, tcr=0x00400000)
    rig.run(1000)
    assert rig.read(1000, RSR, core=MONITOR, chip=1) & 2
    send(rig, 1100, 1, tcr=0x00400000)
    rig.run(1200)
    assert rig.router_counts()[1] == 1 and counter(rig, 1300, 9) == 1


def test_fixed_route(rig: Rig) -> None:
    boot(rig)
    rig.write(30, ROUTER + 0x84, 0xFC000000 | cores(2, 9))
    send(rig, 100, 0xF, tcr=0x00C00000)
    rig.run(200)
    assert [rig.read(200, RXKEY, core=core) for core in (2, 9)] == [0xF, 0xF]


def test_seeded_loss_hits_application_multicast_only(make_rig: Callable[..., Rig]) -> None:
    lost = []
    for seed in (1, 1, 2):
        rig = boot(make_rig(lose_rate=0.2, seed=seed, receiver_depth=8))
        add_entry(rig, 0, 0, 0, cores(2))
        for i in range(200):
            send(rig, 100 + 200 * i, 0xFFFF5554 if i % 2 else i)
            rig.read(100 + 200 * i + 90, RXKEY, core=2)
        rig.run(50_000)
        routed, dropped, lost_here = rig.router_counts()
        assert routed == 200 and dropped == lost_here
        assert counter(rig, 50_100, 8) == lost_here
        lost.append(lost_here)
    assert lost[0] == lost[1] and 5 < lost[0] < 40 and 5 < lost[2] < 40


@pytest.mark.parametrize(
    "wait1,router_clocks", [(0x00, 0), (0x2F, 108), (0x40, 240), (0x4F, 480), (0x80, 4096)]
)
def test_wait1_in_router_clocks(rig: Rig, wait1: int, router_clocks: int) -> None:
    boot(rig, control=wait1 << 16 | 1 | MONITOR << 8)
    add_entry(rig, 0, 9, 0xFFFFFFFF, 1 << S)
    send(rig, 100, 9)
    rig.run(100 + ACT + router_clocks * 3 // 2)
    assert rig.router_counts()[1] == 0
    rig.run(101 + ACT + router_clocks * 3 // 2)
    assert rig.router_counts()[1] == 1
