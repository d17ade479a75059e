"""Cycle counts: rows and interlock examples of the ARM9E-S manual, the reference's GEMM loops."""

from __future__ import annotations

import pytest

from spindle.vboard.arm_host import DTCM_BASE, Core
from spindle.vboard.assemble import assemble

MARK = bytes.fromhex("efbeadde")
QUIET = 0xE3A0C000
"""mov r12, #0: reads nothing."""

SEQUENCES = [
    # data processing
    ("mov r0, r1", 1),
    ("adds r0, r1, r2, lsl #3", 1),
    ("add r0, r1, r2, lsl r3", 2),
    ("movs r0, r1, ror r3", 2),
    ("mov r0, r1; add r2, r0, r0", 2),
    # loads: word +1, byte and half +2, then +1
    ("ldr r0, [r10]", 1),
    ("ldr r0, [r10]; add r1, r0, #1", 3),
    ("ldr r0, [r10]; mov r2, #1; add r1, r0, #1", 3),
    ("ldr r0, [r10]; str r0, [r10, #4]", 3),
    ("ldr r0, [r10]; mla r1, r2, r3, r0", 4),
    ("ldrb r0, [r10]; add r1, r0, #1", 4),
    ("ldrb r0, [r10]; mov r2, #1; add r1, r0, #1", 4),
    ("ldrb r0, [r10]; mov r2, #1; mov r3, #1; add r1, r0, #1", 4),
    ("ldrh r0, [r10]; add r1, r0, #1", 4),
    ("ldrsb r0, [r10]; add r1, r0, #1", 4),
    ("ldrsh r0, [r10]; mul r1, r2, r3; add r4, r0, #1", 4),
    ("ldrb r0, [r10]; ldr r1, [r10]; add r4, r0, r1", 4),
    ("ldr r0, [r10, r3]", 1),
    ("ldr r0, [r10, r3, lsl #2]", 2),
    ("str r0, [r10, r3, lsl #2]", 2),
    ("ldr r0, [r10], #4; ldr r1, [r10], #4", 2),
    ("ldrd r0, r1, [r10]; add r2, r0, #1", 3),
    ("ldrd r0, r1, [r10]; add r2, r1, #1", 4),
    ("strd r0, r1, [r10]", 2),
    ("ldrh r1, [r10]; strd r0, r1, [r10]", 4),
    ("swp r0, r1, [r10]; add r2, r0, #1", 4),
    ("swpb r0, r1, [r10]; add r2, r0, #1", 5),
    # conditional ones behind a byte load
    ("cmp r10, r10; ldrb r0, [r10]; addne r2, r2, #1; add r1, r0, #1", 5),
    ("cmp r10, r10; ldrb r0, [r10]; mulne r2, r3, r4; add r1, r0, #1", 5),
    ("cmp r10, r10; ldrb r0, [r10]; muleq r2, r3, r4; add r1, r0, #1", 5),
    ("cmp r10, r10; ldrne r0, [r10]; add r1, r0, #1", 3),
    ("cmp r10, r10; ldreq r0, [r10]; add r1, r0, #1", 4),
    # blocks
    ("ldm r10, {r0}", 2),
    ("ldm r10, {r0, r1, r2, r3}", 4),
    ("ldm r10, {r0, r1, r2, r3}; add r4, r3, #1", 6),
    ("ldm r10, {r0, r1, r2, r3}; add r4, r2, #1", 5),
    ("stm r10, {r0}", 2),
    ("stm r10, {r0, r1, r2, r3}", 4),
    ("ldr r0, [r10]; stm r10, {r0, r1}", 4),
    ("ldr r1, [r10]; stm r10, {r0, r1}", 3),
    # multiplies: late by one, not as the accumulator of the next
    ("mul r0, r1, r2", 2),
    ("mul r0, r1, r2; add r3, r0, #1", 4),
    ("mul r0, r1, r2; mla r3, r4, r5, r0", 4),
    ("mul r0, r1, r2; mla r3, r0, r5, r6", 5),
    ("muls r0, r1, r2; add r3, r0, #1", 5),
    ("mlas r0, r1, r2, r3", 4),
    ("smull r0, r1, r2, r3", 3),
    ("smull r0, r1, r2, r3; add r4, r0, #1", 4),
    ("smull r0, r1, r2, r3; add r4, r1, #1", 5),
    ("smlal r0, r1, r2, r3; smlal r0, r1, r4, r5", 6),
    ("umulls r0, r1, r2, r3; add r4, r1, #1", 6),
    ("smlabb r0, r1, r2, r3; smlabb r0, r4, r5, r0", 2),
    ("smlabb r0, r1, r2, r3; add r4, r0, #1", 3),
    ("smulwt r0, r1, r2; add r4, r0, #1", 3),
    ("smlalbt r0, r1, r2, r3; add r4, r1, #1", 4),
    ("smlalbt r0, r1, r2, r3; add r4, r0, #1", 3),
    ("qadd r0, r1, r2; add r3, r0, #1", 3),
    ("clz r0, r1; add r2, r0, #1", 2),
    # PSR, coprocessor, branches
    ("mrs r0, cpsr", 2),
    ("msr cpsr_f, r0", 1),
    ("mrs r0, cpsr; msr cpsr_c, r0", 5),
    ("mrc p15, 0, r0, c1, c0, 0; add r1, r0, #1", 3),
    ("b 1f; 1:", 3),
    (".word 0xebffffff", 3),
    ("cmp r10, r10; bne 1f; 1:", 2),
    ("cmp r10, r10; beq 1f; 1:", 4),
    ("add r0, pc, #0; bx r0", 4),
    ("add pc, pc, #0; mov r0, r0; 1:", 3),
    ("str pc, [r10]; ldr r0, [r10]", 2),
    # a literal in ITCM costs the data port conflict
    ("ldr r0, [pc, #-8]", 2),
]


@pytest.fixture(scope="module")
def programs() -> list[bytes]:
    """Machine code of SEQUENCES, assembled in one go."""
    texts = (text.replace(";", "\n") + "\n.word 0xdeadbeef\n" for text, _ in SEQUENCES)
    return assemble("".join(texts)).split(MARK)[:-1]


def core_with(code: bytes) -> Core:
    """A core with code at 0, quiet instructions behind it, r10 and r11 in DTCM."""
    core = Core()
    core.write_memory(0, code + QUIET.to_bytes(4, "little") * 8)
    for i in range(10):
        core.set_reg(i, 0)
    core.set_reg(10, DTCM_BASE + 0x100)
    core.set_reg(11, DTCM_BASE + 0x900)
    return core


def cycles_to(core: Core, pc: int) -> int:
    """Cycles until the next instruction is at pc."""
    while core.pc < pc:
        core.step()
    return core.cycles


@pytest.mark.parametrize("i", range(len(SEQUENCES)), ids=[text for text, _ in SEQUENCES])
def test_sequence(programs: list[bytes], i: int) -> None:
    core = core_with(programs[i])
    assert cycles_to(core, len(programs[i])) == SEQUENCES[i][1]


SMLA_3X3 = """
    smlabb r2,r11,lr,r2; smlabt r3,r11,lr,r3; smlatb r5,r11,lr,r5; smlatt r6,r11,lr,r6
    smlabb r4,r11,sp,r4; smlatb r7,r11,sp,r7; ldr r11,[r0],#4; smlabb r8,r12,lr,r8
    smlabt r9,r12,lr,r9; ldr lr,[r1],#4; smlabb r10,r12,sp,r10; smlabb r2,r11,lr,r2
    smlabt r3,r11,lr,r3; smlatb r5,r11,lr,r5; smlatt r6,r11,lr,r6; smlabt r4,r11,sp,r4
    smlatt r7,r11,sp,r7; ldr r11,[r0],#4; smlatb r8,r12,lr,r8; smlatt r9,r12,lr,r9
    ldr lr,[r1],#4; smlatt r10,r12,sp,r10; ldr r12,[r0],#4; ldr sp,[r1],#4
"""
SMLAW_3X3 = """
    smlawb r2,lr,r11,r2; ldr sp,[r0],#4; smlawt r3,lr,r11,r3; smlawb r4,lr,r12,r4
    smlawb r5,sp,r11,r5; ldr lr,[r0],#4; smlawt r6,sp,r11,r6; smlawb r7,sp,r12,r7
    smlawb r8,lr,r11,r8; ldr sp,[r0],#4; smlawt r9,lr,r11,r9; ldr r11,[r1],#4
    smlawb r10,lr,r12,r10; smlawb r2,sp,r11,r2; ldr lr,[r0],#4; smlawt r3,sp,r11,r3
    smlawt r4,sp,r12,r4; smlawb r5,lr,r11,r5; ldr sp,[r0],#4; smlawt r6,lr,r11,r6
    smlawt r7,lr,r12,r7; smlawb r8,sp,r11,r8; ldr lr,[r0],#4; smlawt r9,sp,r11,r9
    ldr r11,[r1],#4; smlawt r10,sp,r12,r10; ldr r12,[r1],#4
"""
SMLAL_2X2 = """
    smlal r2,r3,r12,sp; smlal r4,r5,r12,lr; ldr r12,[r0],#4; smlal r6,r7,r11,sp
    ldr sp,[r1],#4; smlal r8,r9,r11,lr; ldr lr,[r1],#4; ldr r11,[r0],#4
"""


@pytest.mark.parametrize(("body", "cycles"), [(SMLA_3X3, 24), (SMLAW_3X3, 27), (SMLAL_2X2, 16)])
def test_gemm_loops_have_no_stall(body: str, cycles: int) -> None:
    repeats = 32
    code = assemble(body.replace(";", "\n") * repeats)
    core = core_with(code)
    core.set_reg(0, DTCM_BASE)
    core.set_reg(1, DTCM_BASE + 0x2000)
    assert cycles_to(core, len(code)) == cycles * repeats


def test_branch_target_pays_no_interlock() -> None:
    """The load in front of a loop makes its first instruction wait once, not in every round."""
    code = assemble("mov r1, #4\n ldr r0, [r10]\n1: adds r2, r0, #1\n subs r1, r1, #1\n bne 1b")
    assert cycles_to(core_with(code), len(code)) == 1 + 2 + 4 * 2 + 3 * 3 + 1


def test_changed_code_changes_its_neighbour_s_interlock() -> None:
    code = assemble("ldr r0, [r10]\n add r1, r0, #1")
    core = core_with(code)
    assert cycles_to(core, 8) == 3
    core.write_memory(4, QUIET.to_bytes(4, "little"))
    core.pc, core.cycles = 0, 0
    assert cycles_to(core, 8) == 2


def test_thumb_counts_as_arm() -> None:
    code = assemble(".thumb\n ldr r0, [r4]\n adds r0, #1\n lsls r1, r2\n bl 1f\n 1: push {r0, r1}")
    core = core_with(code)
    core.set_reg(4, DTCM_BASE)
    core.set_reg(13, DTCM_BASE + 64)
    core.cpsr |= 0x20
    assert cycles_to(core, len(code)) == 2 + 1 + 2 + (1 + 3) + 2


def test_traced_loop_counts_the_same() -> None:
    code = assemble(SMLAL_2X2.replace(";", "\n") * 4 + "ldrb r0, [r10]\n add r0, r0, #1\n")
    fast, traced, seen = core_with(code), core_with(code), []
    traced.trace(lambda core: seen.append((core.pc, core.cycles)))
    for core in (fast, traced):
        for i, address in ((0, 0), (1, 0x800), (10, 0)):
            core.set_reg(i, DTCM_BASE + address)
        cycles_to(core, len(code))
    assert traced.cycles == fast.cycles and traced.instructions == fast.instructions == len(seen)
    assert seen[:3] == [(0, 0), (4, 3), (8, 6)]
