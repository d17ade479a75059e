"""Time order of cores and events: results never depend on the quantum."""

import random
from collections.abc import Callable

import pytest

from spindle.vboard.assemble import assemble
from spindle.vboard.chip_host import FaultCode, Rig

MakeRig = Callable[..., Rig]
QUANTA = (0, 1, 7, 20)
SLEEP = "mcr p15, 0, r0, c7, c0, 4"
ROUTER = 0xF1000000

COUNT_UNDER_LOCK = f"""
    ldr r1, =0xf2000100     @ TAS 0; TAC 0 is 0x80 further
    ldr r2, =0x70000000
    mov r4, #20
take:
    ldr r3, [r1]
    tst r3, #0x80000000
    bne take
    ldr r3, [r2]
    add r3, r3, #1
    str r3, [r2]
    ldr r3, [r1, #0x80]
    add r5, r5, r4
wait:
    subs r5, r5, #1
    bpl wait
    mov r5, r6
    subs r4, r4, #1
    bne take
done:
    {SLEEP}
    b done
"""

SEND = f"""
    ldr r1, =0x20000000
    ldr r0, =0xf0000000
    mov r4, #100
next:
    str r4, [r1, #8]
    mov r5, #{{pause}}
wait:
    subs r5, r5, #1
    bpl wait
    subs r4, r4, #1
    bne next
done:
    {SLEEP}
    b done
    .ltorg
"""

# FIQ at 0x1c counts packets and sums keys; the main loop sleeps.
RECEIVE = f"""
    b start
    nop
    nop
    nop
    nop
    nop
    nop
    ldr r10, [r8, #0x14]
    add r11, r11, r10
    add r12, r12, #1
    str r12, [r9]
    str r11, [r9, #4]
    subs pc, lr, #4
start:
    ldr r1, =0x1f000000
    mov r2, #1 << 24
    str r2, [r1, #0xc]
    str r2, [r1, #0x10]
    msr cpsr_c, #0xd1
    ldr r8, =0x10000000
    ldr r9, =0x00400000
    mov r11, #0
    mov r12, #0
    msr cpsr_c, #0x9f
idle:
    {SLEEP}
    b idle
    .ltorg
"""


# Sends, reads shared memory, and by FIQ takes what the others send.
CHATTER = f"""
    b start
    nop
    nop
    nop
    nop
    nop
    nop
    ldr r8, =0x10000000
    ldr r9, [r8, #0x14]
    add r11, r11, r9
    subs pc, lr, #4
start:
    ldr r1, =0x1f000000
    mov r2, #1 << 24
    str r2, [r1, #0xc]
    str r2, [r1, #0x10]
    msr cpsr_c, #0xd1
    mov r11, #0
    msr cpsr_c, #0x9f
    ldr r1, =0x10000000
    ldr r2, =0x70000000
    mov r4, #60
next:
    str r4, [r1, #8]
    ldr r3, [r2]
    mov r5, #{{pause}}
wait:
    subs r5, r5, #1
    bpl wait
    subs r4, r4, #1
    bne next
    msr cpsr_c, #0xd1
    mov r0, r11
    msr cpsr_c, #0x9f
idle:
    {SLEEP}
    b idle
    .ltorg
"""


def count_under_lock(make_rig: MakeRig, quantum: int, n_cores: int) -> tuple[int, int]:
    rig = make_rig(quantum=quantum)
    rig.poke(0x60000000, bytes(4))
    for core in range(1, n_cores + 1):
        rig.load(assemble(COUNT_UNDER_LOCK), core=core)
        rig.start(core * 3 % 11, core=core)
    rig.run(400_000)
    assert rig.faults() == []
    assert all(rig.state(core=core).asleep for core in range(1, n_cores + 1))
    return int.from_bytes(rig.peek(0x60000000, 4), "little"), rig.hash()


@pytest.mark.parametrize("n_cores", [1, 2, 16])
def test_locked_counter_is_exact_and_independent_of_the_quantum(
    make_rig: MakeRig, n_cores: int
) -> None:
    results = {count_under_lock(make_rig, quantum, n_cores) for quantum in QUANTA}
    assert len(results) == 1
    assert results.pop()[0] == 20 * n_cores


Packets = tuple[int, int, int, int, int]


def packets(make_rig: MakeRig, quantum: int, n_chips: int, pause: int, step: int) -> Packets:
    """Three cores of chip 0 send 100 packets each to core 9 of all chips, in steps of cycles."""
    rig = make_rig(n_chips=n_chips, quantum=quantum)
    for chip in range(n_chips):
        route = 1 << 6 + 9 | (5 if n_chips > 1 and chip == 0 else 0)  # here, east and north
        for base, value in ((0x4000, route), (0x8000, 0), (0xC000, 0)):
            rig.write(1, ROUTER + base, value, core=17, chip=chip)
        rig.load(assemble(RECEIVE), core=9, chip=chip)
        rig.start(50, core=9, chip=chip)
    for core in (1, 2, 3):
        rig.load(assemble(SEND.format(pause=pause + core)), core=core)
        rig.start(500, core=core)
    for until in range(step, 60_000 + step, step):
        rig.run(min(until, 60_000))
    words = rig.dtcm(core=9, size=8, chip=1 if n_chips > 1 else 0)
    count, total = (int.from_bytes(words[i : i + 4], "little") for i in (0, 4))
    dropped = sum(rig.router_counts(chip)[1] for chip in range(n_chips))
    return count, total, dropped, rig.router_counts()[0], rig.hash()


@pytest.mark.parametrize("n_chips", [1, 4])
def test_packets_are_counted_by_fiq_whatever_the_quantum(make_rig: MakeRig, n_chips: int) -> None:
    results = {packets(make_rig, quantum, n_chips, 100, 60_000) for quantum in QUANTA}
    results.add(packets(make_rig, 0, n_chips, 100, 37))
    assert len(results) == 1
    count, total, dropped, routed, _ = results.pop()
    assert (count, total, dropped, routed) == (300, 3 * sum(range(1, 101)), 0, 300)


def chatter(make_rig: MakeRig, quantum: int, seed: int) -> tuple[object, ...]:
    """Sixteen cores send to the first, each at a pace of its own: often two in one cycle."""
    rng = random.Random(seed)
    rig = make_rig(quantum=quantum)
    rig.poke(0x60000000, bytes(4))
    for base, value in ((0, 0x00FF0001), (0x4000, 1 << 6 + 1), (0x8000, 0), (0xC000, 0)):
        rig.write(1, ROUTER + base, value, core=17)  # it waits for ever
    for core in range(1, 17):
        rig.load(assemble(CHATTER.format(pause=rng.randint(60, 200))), core=core)
        rig.start(100 + rng.randrange(60), core=core)
    rig.run(60_000)
    return rig.faults(), rig.router_counts(), rig.hash()


@pytest.mark.parametrize("seed", range(4))
def test_what_cores_do_in_one_cycle_has_one_order(make_rig: MakeRig, seed: int) -> None:
    faults, counts, _ = chatter(make_rig, 0, seed)
    assert faults == [] and counts[0] > 500
    assert len({str(chatter(make_rig, quantum, seed)) for quantum in QUANTA}) == 1


def test_back_pressure_reaches_the_senders(make_rig: MakeRig) -> None:
    """Senders that do not look at TCR overrun their own transmitter; the router drops nothing."""
    results = {packets(make_rig, quantum, 4, 10, 60_000) for quantum in QUANTA}
    assert len(results) == 1
    count, _, dropped, routed, _ = results.pop()
    assert count == routed < 300 and dropped == 0


def test_a_deaf_receiver_loses_packets_and_says_so(make_rig: MakeRig) -> None:
    rig = make_rig()
    for base, value in ((0x4000, 1 << 6 + 9), (0x8000, 0), (0xC000, 0)):
        rig.write(1, ROUTER + base, value, core=17)
    rig.write(2, ROUTER, 0x00400001, core=17)
    rig.load(assemble(SEND.format(pause=10)))
    rig.start(500)
    rig.run(100_000)
    routed, dropped, lost = rig.router_counts()
    assert dropped == routed - 1 > 0 and lost == 0


def test_sleeping_core_wakes_at_exactly_its_packet(make_rig: MakeRig) -> None:
    rig = make_rig()
    for base, value in ((0x4000, 1 << 6 + 9), (0x8000, 0), (0xC000, 0)):
        rig.write(1, ROUTER + base, value, core=17)
    rig.write(1, 0x1F000010, 1 << 24, core=9)
    rig.load(assemble(f"{SLEEP}\n1: b 1b"), core=9)
    rig.start(10, core=9)
    rig.write(1000, 0x10000008, 1)
    rig.run(1041)  # 1000, an act's cycle, the latency
    assert rig.state(core=9).asleep and rig.cycles(core=9) < 20
    rig.run(1042)
    assert not rig.state(core=9).asleep and 1041 <= rig.cycles(core=9) <= 1044


def test_a_core_stopped_by_a_fault_stays_where_it_is(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.load(assemble("ldr r1, =0xf2000068\n ldr r0, [r1]\n 1: add r6, r6, #1\n b 1b\n .ltorg"))
    rig.start(0)
    rig.run(1000)
    fault = rig.faults()[0]
    assert (fault.code, fault.pc, fault.addr) == (FaultCode.UNSUPPORTED, 4, 0xF2000068)
    assert rig.state().failed and rig.reg(6) == 0


def test_interrupt_between_cores_is_exact(make_rig: MakeRig) -> None:
    """A busy core that runs ahead in its TCM still takes the interrupt at its cycle."""
    busy = "b start\n" + "nop\n" * 5 + "b irq\n nop\nstart:\n msr cpsr_c, #0x53\n"
    busy += "1: add r6, r6, #1\n b 1b\nirq:\n mov r7, r6\n 2: b 2b\n"
    seen = set()
    for quantum in QUANTA:
        rig = make_rig(quantum=quantum)
        rig.load(assemble(busy), core=2)
        rig.load(
            assemble(
                "ldr r1, =0xf2000000\n ldr r2, =0x5ec00004\n mov r3, #200\n"
                "1: subs r3, r3, #1\n bne 1b\n str r2, [r1, #8]\n 2: b 2b\n .ltorg"
            ),
            core=3,
        )
        rig.write(1, 0x1F000010, 1 << 18, core=2)
        rig.start(10, core=2)
        rig.start(10, core=3)
        rig.run(5000)
        seen.add((rig.reg(7, core=2), rig.hash()))
    assert len(seen) == 1
    assert 190 < seen.pop()[0] < 260


def test_dirty_power_on_differs_by_seed_and_repeats(make_rig: MakeRig) -> None:
    hashes = []
    for seed in (1, 1, 2):
        rig = make_rig(pristine=False, seed=seed)
        rig.run(1_000_000)
        hashes.append(rig.hash())
    assert hashes[0] == hashes[1] != hashes[2]


def test_doubled_latencies_slow_packets_only(make_rig: MakeRig) -> None:
    rig = make_rig(costs={"packet_cycles": 80})
    for base, value in ((0x4000, 1 << 6 + 9), (0x8000, 0), (0xC000, 0)):
        rig.write(1, ROUTER + base, value, core=17)
    rig.run(5)
    rig.write(100, 0x10000008, 1)
    rig.run(180)
    assert not rig.read(180 - 1, 0x1000000C, core=9)
    rig.run(181)
    assert rig.read(190, 0x1000000C, core=9)


HANDLERS = """
    b start
    nop
    nop
    nop
    nop
    nop
    b irq
    b irq
irq:
    sub lr, lr, #4
    ldr sp, =0x00408000
    stmia sp, {r0-r3}
    ldr r0, =0x1f000000
    ldr r1, [r0, #0x30]
    ldr r1, =0x10000000
    ldr r2, [r1, #0xc]
    tst r2, #0x80000000
    ldrne r2, [r1, #0x14]
    addne r9, r9, r2
    ldr r1, =0xf2000000
    ldr r2, =0x5ec00000 + (1 << CORE)
    str r2, [r1, #0xc]
    ldr r1, =0x30000000
    mov r2, #8
    str r2, [r1, #0x10]
    str r0, [r0, #0x30]
    add r10, r10, #1
    ldmia sp, {r0-r3}
    movs pc, lr
    .ltorg
start:
    ldr r1, =0x1f000000
    ldr r2, =(1 << 18) | (1 << 24) | (1 << 12)
    str r2, [r1, #0x10]
    ldr r1, =0x30000000
    mov r2, #0xc00
    str r2, [r1, #0x18]
    msr cpsr_c, #0x1f
    b body
    .ltorg
body:
"""
ACTIONS = (
    "ldr r1, =0x70000000 + {word}\n ldr r2, [r1]\n add r8, r2, r8, ror #3",
    "ldr r1, =0x60000000 + {word}\n ldr r2, [r1]\n eor r8, r2, r8, ror #5",
    "ldr r1, =0x70000000 + {word}\n str r8, [r1]",
    "ldr r1, =0x60000000 + {word}\n str r8, [r1]\n strh r8, [r1, #4]",
    "ldr r1, =0xf2000100 + {lock}\n ldr r2, [r1]\n add r8, r8, r2, ror #9",
    "ldr r1, =0xf2000180 + {lock}\n ldr r2, [r1]\n add r8, r8, r2, ror #7",
    "ldr r1, =0xe2000000\n ldr r2, =1 << {bit}\n str r2, [r1, #0x58]\n ldr r2, [r1, #0x58]\n"
    "add r8, r8, r2",
    "ldr r1, =0xf2000008\n ldr r2, =0x5ec00000 + (1 << {core})\n str r2, [r1]",
    "ldr r1, =0xe2000008\n ldr r2, =0x5ec00000 + (1 << {core})\n str r2, [r1]",
    "ldr r1, =0x20000000\n ldr r2, =0x100 + {core}\n str r2, [r1, #8]",
    "ldr r1, =0xf2000064\n ldr r2, [r1]\n eor r8, r8, r2",
    "ldr r1, =0x40000000\n ldr r2, =0x60000000 + {word}\n ldr r3, [r1, #0x14]\n tst r3, #4\n"
    "streq r2, [r1, #4]\n ldreq r2, =0x00402000\n streq r2, [r1, #8]\n"
    "ldreq r2, =0x01800000 + {dma}\n streq r2, [r1, #12]",
    "ldr r1, =0x70000000 + {word}\n ldmia r1, {{r2, r3, r4, r5}}\n add r8, r8, r5\n eor r8, r3",
    "ldr r1, =0x60000000 + {word}\n stmia r1, {{r2, r3, r4, r8}}\n swp r8, r8, [r1]",
    "mov r3, #{pause}\n 9: subs r3, r3, #1\n bne 9b",
    "mcr p15, 0, r0, c7, c0, 4",
)


def random_program(draw: random.Random, core: int, n_cores: int) -> bytes:
    parts = [HANDLERS.replace("CORE", str(core))]
    for i in range(150):
        text = draw.choice(ACTIONS if i % 8 else ACTIONS[:-1]).format(
            word=4 * draw.randrange(64),
            lock=4 * draw.randrange(4),
            bit=draw.randrange(32),
            core=draw.randrange(n_cores),
            dma=draw.choice((0, 1 << 19)) + 4 * draw.randrange(1, 64),
            pause=draw.randrange(1, 100),
        )
        parts.append(text + f"\n b over{i}\n .ltorg\nover{i}:\n")
    return assemble("".join(parts) + "\ndone:\n mcr p15, 0, r0, c7, c0, 4\n b done\n .ltorg")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_programs_end_alike_for_every_quantum(make_rig: MakeRig, seed: int) -> None:
    draw, n_cores = random.Random(seed), 6
    programs = [random_program(draw, core, n_cores) for core in range(n_cores)]
    hashes = set()
    for quantum in (0, 1, 3, 16, 40):
        rig = make_rig(quantum=quantum, allow_faults=True)
        rig.poke(0x60000000, bytes(0x1000))
        for core in range(n_cores):
            rig.write(1, ROUTER + 0x4000 + 4 * core, 1 << 6 + core, core=17)
            rig.write(1, ROUTER + 0x8000 + 4 * core, 0x100 + core, core=17)
            rig.write(1, ROUTER + 0xC000 + 4 * core, 0xFFFFFFFF, core=17)
        for core, program in enumerate(programs):
            rig.load(program, core=core)
            rig.start(100 + core, core=core)
        rig.run(60_000)
        assert min(rig.reg(10, core=core) for core in range(n_cores)) > 0  # all were interrupted
        hashes.add((rig.hash(), len(rig.faults()), rig.router_counts()))
    assert len(hashes) == 1


def random_rig(make_rig: MakeRig, seed: int) -> Rig:
    draw, rig = random.Random(seed), make_rig(allow_faults=True, pristine=False)
    for core in range(4):
        rig.write(1, ROUTER + 0x4000 + 4 * core, 1 << 6 + core, core=17)
        rig.write(1, ROUTER + 0x8000 + 4 * core, 0x100 + core, core=17)
        rig.write(1, ROUTER + 0xC000 + 4 * core, 0xFFFFFFFF, core=17)
        rig.load(random_program(draw, core, 4), core=core)
        rig.start(100 + core, core=core)
    return rig


@pytest.mark.parametrize("at", [150, 1000, 4321])
def test_snapshot_goes_on_bit_for_bit(make_rig: MakeRig, at: int) -> None:
    first = random_rig(make_rig, 5)
    first.run(at)
    saved, there = first.save(), first.hash()
    first.run(60_000)
    second = make_rig(allow_faults=True, pristine=False)
    second.poke(0x61000000, b"to be forgotten")
    second.restore(saved)
    assert second.hash() == there
    second.run(60_000)
    assert second.hash() == first.hash() != there
    with pytest.raises(ValueError, match="ends early"):
        second.restore(saved[:-8])
