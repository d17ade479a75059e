"""Speed of the interpreter against Unicorn's count slices: cores in rotation, two inner loops.

In: nothing (`python -m bench.vboard_arm`). Out: one line per loop with millions of instructions per
second of both and their ratio, by processor time. Needs the package unicorn.
"""

from __future__ import annotations

import time

from unicorn import UC_ARCH_ARM, UC_MODE_ARM, Uc
from unicorn.arm_const import UC_ARM_REG_PC, UC_CPU_ARM_926

from spindle.vboard.arm_host import DTCM_BASE, Core, rotate
from spindle.vboard.assemble import assemble

CORES = 16
SLICE = 400

SMLAL_2X2 = (
    "start: ldr r10, =0x00400000\n add r11, r10, #4096\n mov r1, #64\n"
    "loop:\n"
    + """
    smlal r2, r3, r12, r0
    smlal r4, r5, r12, lr
    ldr r12, [r10], #4
    smlal r6, r7, r9, r0
    ldr r0, [r11], #4
    smlal r8, sp, r9, lr
    ldr lr, [r11], #4
    ldr r9, [r10], #4
    """
    * 8
    + "subs r1, r1, #1\n sub r10, r10, #64\n sub r11, r11, #64\n bne loop\n b start\n"
)
"""kernels.md 3b: one k-step of a 2x2 tile is 8 instructions, 16 cycles; unrolled 8 times."""

SOFT_FLOAT = """
start: ldr r10, =0x00400000
    mov r9, #256
loop: ldr r0, [r10], #4
    ldr r1, [r10], #4
    eor r2, r0, r1
    lsls r3, r0, #1
    lslsne r4, r1, #1
    beq zero
    asr r3, r3, #24
    asr r4, r4, #24
    subs r5, r3, r4
    movlt r6, r0
    movlt r0, r1
    movlt r1, r6
    rsblt r5, r5, #0
    lsl r0, r0, #8
    orr r0, r0, #0x80000000
    lsl r1, r1, #8
    orr r1, r1, #0x80000000
    tst r2, #0x80000000
    add r6, r0, r1, lsr r5
    subne r6, r0, r1, lsr r5
    clz r7, r6
    lsl r6, r6, r7
    orr r6, r3, r6, lsr #8
    str r6, [r10, #-4]
zero: subs r9, r9, #1
    bne loop
    b start
"""
"""Integer work like a soft-float add's: compares, shifts by register, conditional moves, CLZ."""


def interpreter_mips(code: bytes, cycles: int, *, watched: bool = False) -> float:
    """Return M instructions/s of CORES cores in rotation, SLICE cycles each.

    watched: 4 KB of DTCM that the loop does not touch are under a DMA transfer (race detection).
    """
    cores = [Core() for _ in range(CORES)]
    for core in cores:
        core.write_memory(0, code)
        core.write_memory(DTCM_BASE, bytes(range(1, 251)) * 32)
        if watched:
            core.watch(DTCM_BASE + 0x8000, 0x1000)
        core.run(SLICE)
    before = sum(core.instructions for core in cores)
    start = time.process_time()
    rotate(cores, SLICE, cycles)
    elapsed = time.process_time() - start
    done = sum(core.instructions for core in cores) - before
    for core in cores:
        core.close()
    return done / elapsed / 1e6


def unicorn_mips(code: bytes, count: int, slices: int) -> float:
    """Return M instructions/s of CORES Unicorn instances in slices of `count` instructions."""
    machines = []
    for _ in range(CORES):
        machine = Uc(UC_ARCH_ARM, UC_MODE_ARM)
        machine.ctl_set_cpu_model(UC_CPU_ARM_926)
        machine.mem_map(0, 0x8000)
        machine.mem_map(DTCM_BASE, 0x10000)
        machine.mem_write(0, code)
        machine.mem_write(DTCM_BASE, bytes(range(1, 251)) * 32)
        machine.emu_start(0, 0xFFFFFFFF, count=2000)
        machines.append(machine)
    _rotate(machines, count, slices)
    start = time.process_time()
    _rotate(machines, count, slices)
    return slices * count * CORES / (time.process_time() - start) / 1e6


def _rotate(machines: list[Uc], count: int, slices: int) -> None:
    for _ in range(slices):
        for machine in machines:
            machine.emu_start(machine.reg_read(UC_ARM_REG_PC), 0xFFFFFFFF, count=count)


def main() -> int:
    """Print one line per loop."""
    for name, source in (("smlal 2x2", SMLAL_2X2), ("soft float", SOFT_FLOAT)):
        code = assemble(source)
        ours = max(interpreter_mips(code, 5_000_000) for _ in range(5))
        guarded = max(interpreter_mips(code, 5_000_000, watched=True) for _ in range(5))
        for count in (200, 1000):
            theirs = max(unicorn_mips(code, count, 400) for _ in range(5))
            print(
                f"{name:10s} {CORES} cores: {ours:4.0f} M/s, {guarded:4.0f} M/s with a watch "
                f"({SLICE} cycle slices), Unicorn count={count}: {theirs:4.0f} M/s, "
                f"ratio {ours / theirs:.1f}"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
