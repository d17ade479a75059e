"""Exceptions, modes, interrupts at exact boundaries, WFI, bus time, code on the bus, watches."""

from __future__ import annotations

import pytest

from spindle.vboard.arm_host import BUS_FAULT, DTCM_BASE, Core, Result, disassemble
from spindle.vboard.assemble import assemble

USR, FIQ, IRQ, SVC, ABT, UND, SYS = 0x10, 0x11, 0x12, 0x13, 0x17, 0x1B, 0x1F
NOPS = "mov r12, #0\n" * 8
RAM, DEVICE, HOLE = 0x60000000, 0x11000000, 0x50000000


class Board:
    """RAM with 24 wait cycles, a device that keeps (cycle, pc, value) of its writes, holes."""

    def __init__(self) -> None:
        self.ram = bytearray(0x1000)
        self.writes: list[tuple[int, int, int]] = []
        self.fetches: list[int] = []
        self.exceptions: list[tuple[int, int]] = []
        self.watched: list[tuple[int, int, bool]] = []
        self.on_write = lambda core, value: None

    def read(self, core: Core, addr: int, size: int) -> tuple[int, int]:
        if addr < RAM or addr >= RAM + len(self.ram):
            return BUS_FAULT, 0
        return 24, int.from_bytes(self.ram[addr - RAM : addr - RAM + size], "little")

    def write(self, core: Core, addr: int, size: int, value: int) -> int:
        if addr == DEVICE:
            self.writes.append((core.cycles, core.pc, value))
            self.on_write(core, value)
            return 3
        if addr < RAM or addr >= RAM + len(self.ram):
            return BUS_FAULT
        self.ram[addr - RAM : addr - RAM + size] = value.to_bytes(size, "little")
        return 0

    def fetch(self, core: Core, addr: int, size: int) -> tuple[int, int]:
        self.fetches.append(addr)
        return self.read(core, addr & 0x60000FFF if addr >= 0xFFFF0000 else addr, size)

    def watch(self, core: Core, addr: int, size: int, is_write: bool) -> None:
        self.watched.append((addr, size, is_write))

    def exception(self, core: Core, vector: int) -> None:
        self.exceptions.append((vector, core.pc))


def start(text: str, *, thumb: bool = False) -> tuple[Core, Board]:
    """A core in front of text at 0x1000: r8 = HOLE, r9 = RAM, r10 = DTCM, r11 = DEVICE."""
    board = Board()
    core = Core(board)
    core.write_memory(0, assemble(NOPS * 16))
    core.write_memory(0x1000, assemble((".thumb\n" if thumb else "") + text) + assemble(NOPS))
    for i, value in ((8, HOLE), (9, RAM), (10, DTCM_BASE), (11, DEVICE), (13, DTCM_BASE + 0x100)):
        core.set_reg(i, value)
    core.pc = 0x1000
    if thumb:
        core.cpsr |= 0x20
    return core, board


def mode(core: Core) -> int:
    return core.cpsr & 0x1F


def test_swi_enters_svc_and_returns() -> None:
    core, board = start("msr cpsr_c, #0x10\n swi 5\n mov r0, #1")
    core.write_memory(8, assemble("movs pc, lr"))
    core.step(2)
    assert (mode(core), core.pc, core.reg(14)) == (SVC, 8, 0x1008)
    assert core.cpsr & 0xE0 == 0x80 and core.spsr & 0xFF == USR
    assert core.cycles == 3 + 3 and not board.exceptions
    core.step()
    assert (mode(core), core.pc) == (USR, 0x1008)


def test_thumb_swi_links_to_the_next_halfword() -> None:
    core, _ = start("svc 1\n movs r0, #1\n", thumb=True)
    core.step()
    assert (core.pc, core.reg(14), core.cpsr & 0x20, core.spsr & 0x20) == (8, 0x1002, 0, 0x20)


@pytest.mark.parametrize(
    ("text", "vector", "into", "link"),
    [
        (".word 0xe7f000f0", 4, UND, 0x1004),
        ("mrc p14, 0, r0, c0, c0, 0", 4, UND, 0x1004),
        ("bkpt 3", 0xC, ABT, 0x1004),
        ("ldr r0, [r8], #4", 0x10, ABT, 0x1008),
        ("str r0, [r8, #4]!", 0x10, ABT, 0x1008),
        ("ldm r8!, {r0, r1}", 0x10, ABT, 0x1008),
        ("stmdb r8!, {r0, r1}", 0x10, ABT, 0x1008),
        ("strd r0, r1, [r8], #8", 0x10, ABT, 0x1008),
        ("swp r0, r1, [r8]", 0x10, ABT, 0x1008),
    ],
)
def test_aborts_restore_the_base(text: str, vector: int, into: int, link: int) -> None:
    core, board = start(text)
    core.step()
    assert (mode(core), core.pc, core.reg(14)) == (into, vector, link)
    assert core.reg(8) == HOLE and board.exceptions == [(vector, 0x1000)]
    assert core.spsr & 0x1F == SVC


@pytest.mark.parametrize(
    "text", ["ldr r0, [r10, #2]", "strh r0, [r10, #1]", "ldrsh r0, [r10, #3]", "ldrd r0, [r10, #4]"]
)
def test_alignment_is_checked_when_cp15_says_so(text: str) -> None:
    core, _ = start(text)
    core.cp15_control = 2
    core.step()
    assert mode(core) == ABT
    core, _ = start(text)
    core.step()
    assert mode(core) == SVC


def test_unaligned_word_load_rotates() -> None:
    core, _ = start("ldr r0, [r10, #1]")
    core.write_memory(DTCM_BASE, bytes([1, 2, 3, 4]))
    core.step()
    assert core.reg(0) == 0x01040302


def test_prefetch_abort() -> None:
    core, board = start("bx r8")
    core.step(2)
    assert (mode(core), core.reg(14), core.pc) == (ABT, HOLE + 4, 0xC)
    assert board.exceptions == [(0xC, HOLE)]


def test_high_vectors_execute_from_the_bus() -> None:
    core, board = start("swi 0")
    board.ram[8:12] = assemble("mov r0, #7")
    core.cp15_control = 1 << 13
    core.step(2)
    assert core.reg(0) == 7 and board.fetches == [0xFFFF0008]
    assert core.cycles == 3 + 25


def test_banked_registers() -> None:
    core, _ = start(NOPS)
    for number in (USR, FIQ, IRQ, SVC, ABT, UND):
        core.cpsr = number | 0xC0
        core.set_reg(13, 0x1300 + number)
        core.set_reg(14, 0x1400 + number)
        core.set_reg(8, 0x800 + number)
        core.spsr = number
    for number in (USR, FIQ, IRQ, SVC, ABT, UND):
        core.cpsr = number | 0xC0
        assert (core.reg(13), core.reg(14)) == (0x1300 + number, 0x1400 + number)
        assert core.reg(8) == 0x800 + (FIQ if number == FIQ else UND)
        assert number == USR or core.spsr == number
    core.cpsr = SYS | 0xC0
    assert core.reg(13) == 0x1300 + USR


def test_user_bank_transfers() -> None:
    core, _ = start("stm r0, {r8, r13, r14}^\n ldm r1, {r8, r13}^")
    core.cpsr = USR | 0xC0
    for i, value in ((8, 88), (13, 133), (14, 144)):
        core.set_reg(i, value)
    core.cpsr = FIQ | 0xC0
    core.set_reg(8, 1)
    core.set_reg(0, DTCM_BASE)
    core.set_reg(1, DTCM_BASE + 16)
    core.write_memory(DTCM_BASE + 16, bytes([5, 0, 0, 0, 6, 0, 0, 0]))
    core.step(2)
    assert core.read_memory(DTCM_BASE, 12) == bytes([88, 0, 0, 0, 133, 0, 0, 0, 144, 0, 0, 0])
    assert core.reg(8) == 1
    core.cpsr = USR | 0xC0
    assert (core.reg(8), core.reg(13), core.reg(14)) == (5, 6, 144)


def test_ldm_pc_with_hat_returns_from_an_exception() -> None:
    core, _ = start("ldm r10, {r0, pc}^")
    core.cpsr = IRQ | 0xC0
    core.spsr = USR | 0x20 | 0x80000000
    core.set_reg(10, DTCM_BASE)
    core.write_memory(DTCM_BASE + 4, (0x2003).to_bytes(4, "little"))
    core.step()
    assert (core.pc, core.cpsr) == (0x2002, USR | 0x20 | 0x80000000)


def test_msr_in_user_mode_changes_flags_only() -> None:
    core, _ = start("mov r0, #0xf0000000\n orr r0, r0, #0x13\n msr cpsr_fc, r0")
    core.cpsr = USR
    core.step(3)
    assert core.cpsr == USR | 0xF0000000


def test_mode_that_does_not_exist_is_an_error() -> None:
    core, _ = start("msr cpsr_c, #0x1")
    assert core.run(100) == Result.FAILED
    assert core.error[0] == 1 and core.run(200) == Result.FAILED


def test_unknown_cp15_register_is_an_error() -> None:
    core, _ = start("mov r0, #0\n mcr p15, 0, r0, c2, c0, 0")
    assert core.run(100) == Result.FAILED
    code, detail, pc = core.error
    assert (code, pc) == (2, 0x1004) and disassemble(detail) == "mcr p15, 0, r0, c2, c0, 0"


# -- interrupts


def test_irq_between_runs_is_taken_before_the_next_instruction() -> None:
    core, _ = start("msr cpsr_c, #0x1f\n" + NOPS)
    core.write_memory(0x18, assemble("subs pc, lr, #4"))
    core.step(2)
    core.set_irq(True)
    core.step()
    assert (mode(core), core.pc) == (IRQ, 0x18)
    core.set_irq(False)
    core.step(2)
    assert (mode(core), core.pc) == (SYS, 0x100C)
    assert core.cycles == 3 + 1 + 3 + 3 + 1


def test_irq_entry_state() -> None:
    core, _ = start("msr cpsr_c, #0x1f\n" + NOPS)
    core.step(2)
    core.set_irq(True)
    core.step()
    assert (mode(core), core.pc, core.reg(14)) == (IRQ, 0x18, 0x100C)
    assert core.cpsr & 0xE0 == 0x80 and core.spsr & 0xFF == SYS


def test_fiq_comes_first_and_masks_both() -> None:
    core, _ = start("msr cpsr_c, #0x1f\n" + NOPS)
    core.step(2)
    core.set_irq(True)
    core.set_fiq(True)
    core.step()
    assert (mode(core), core.pc, core.cpsr & 0xC0) == (FIQ, 0x1C, 0xC0)


def test_masked_lines_wait_for_msr_exactly() -> None:
    core, _ = start("mov r0, #1\n msr cpsr_c, #0x1f\n mov r0, #2\n mov r0, #3")
    core.set_irq(True)
    core.run(5)
    assert (mode(core), core.reg(0), core.reg(14)) == (IRQ, 1, 0x1008 + 4)


def test_masked_lines_wait_for_exception_return_exactly() -> None:
    core, _ = start("mov r1, #0x1f\n msr spsr_cxsf, r1\n adr lr, 1f\n movs pc, lr\n 1: mov r0, #2")
    core.set_irq(True)
    core.run(1 + 3 + 1 + 3 + 1)
    assert (mode(core), core.pc, core.reg(14)) == (IRQ, 0x18, 0x1010 + 4)
    assert core.spsr == SYS and core.reg(0) != 2


def test_line_raised_by_a_store_interrupts_right_behind_it() -> None:
    core, board = start("msr cpsr_c, #0x1f\n str r0, [r11]\n mov r0, #2\n" + NOPS)
    core.cpsr = SYS | 0xC0
    core.set_reg(11, DEVICE)
    board.on_write = lambda core, value: core.set_irq(True, core.cycles)
    core.write_memory(0x18, assemble("b ."))
    core.run(200)
    assert (mode(core), core.reg(14)) == (IRQ, 0x1008 + 4)
    assert board.writes == [(3, 0x1004, core.reg(0))] and core.reg(0) != 2


def test_line_dropped_before_the_boundary_is_not_taken() -> None:
    core, board = start("msr cpsr_c, #0x1f\n str r0, [r11]\n mov r0, #2\n" + NOPS)

    def pulse(core: Core, value: int) -> None:
        core.set_irq(True, core.cycles)
        core.set_irq(False, core.cycles)

    board.on_write = pulse
    core.run(30)
    assert mode(core) == SYS and core.reg(0) == 2


@pytest.mark.parametrize("slice_cycles", [1, 2, 7, 1000])
def test_slices_do_not_change_time(slice_cycles: int) -> None:
    """The same writes at the same cycles, however the run is cut."""
    text = "1: add r0, r0, #1\n ldr r1, [r9]\n str r1, [r11]\n stm r10, {r0, r1, r2}\n b 1b"
    core, board = start(text)
    while core.cycles < 500:
        core.run(min(core.cycles + slice_cycles, 500))
    whole, reference = start(text)
    whole.run(500)
    assert board.writes == reference.writes and len(board.writes) > 5
    assert (core.cycles, core.instructions) == (whole.cycles, whole.instructions)


def test_stop_at_and_stop_end_the_run_behind_the_store() -> None:
    core, board = start("str r0, [r11]\n mov r0, #2\n" + NOPS)
    board.on_write = lambda core, value: core.stop_at(0)
    assert core.run(100) == Result.DONE and (core.pc, core.cycles) == (0x1004, 4)
    core, board = start("str r0, [r11]\n mov r0, #2\n" + NOPS)
    board.on_write = lambda core, value: core.stop()
    assert core.run(100) == Result.STOPPED and (core.pc, core.cycles) == (0x1004, 4)
    assert core.run(5) == Result.DONE and core.pc == 0x1008


def test_run_without_end() -> None:
    core, board = start("mov r0, #1\n str r0, [r11]\n" + NOPS)
    board.on_write = lambda core, value: core.stop()
    assert core.run(2**64 - 1) == Result.STOPPED and core.pc == 0x1008


def test_bus_sees_the_cycle_of_each_word() -> None:
    core, board = start("mov r0, #1\n stm r11, {r0}\n strd r0, r1, [r9]\n str r0, [r11]")
    core.run(12)
    assert [cycle for cycle, _, _ in board.writes] == [1, 1 + 2 + 3 + 2]


def test_python_error_in_a_bus_call_reaches_the_caller() -> None:
    core, board = start("str r0, [r11]")

    def broken(core: Core, value: int) -> None:
        raise KeyError("broken")

    board.on_write = broken
    with pytest.raises(KeyError):
        core.run(100)


# -- WFI

WFI = "mcr p15, 0, r0, c7, c0, 4\n mov r0, #9\n" + NOPS


def test_wfi_sleeps_and_wakes_at_the_line_s_cycle_even_masked() -> None:
    core, _ = start("mov r0, #0\n" + WFI)
    assert core.run(1000) == Result.ASLEEP
    assert (core.cycles, core.pc) == (2, 0x1008)
    assert core.run(1000) == Result.ASLEEP
    core.set_irq(True, 700)
    assert core.run(701) == Result.DONE
    assert (core.reg(0), core.cycles, mode(core)) == (9, 701, SVC)


def test_wfi_with_a_line_up_does_not_sleep() -> None:
    core, _ = start("mov r0, #0\n" + WFI)
    core.set_fiq(True)
    assert core.run(3) == Result.DONE and core.reg(0) == 9


def test_wfi_wakes_into_the_handler_when_unmasked() -> None:
    core, _ = start("msr cpsr_c, #0x1f\n" + WFI)
    assert core.run(1000) == Result.ASLEEP
    core.set_irq(True, 50)
    core.run(54)
    assert (mode(core), core.pc, core.reg(14)) == (IRQ, 0x1C, 0x1008 + 4)


# -- code on the bus, code that changes, watches


def test_code_on_the_bus_runs_with_its_wait_cycles_and_sees_changes() -> None:
    core, board = start("bx r9")
    board.ram[:12] = assemble("1: add r0, r0, #1\n str r1, [r9]\n b 1b")
    core.set_reg(0, 0)
    core.set_reg(1, int.from_bytes(assemble("add r0, r0, #16"), "little"))
    core.step()
    assert core.cycles == 3
    core.step(3)
    assert (core.reg(0), core.cycles) == (1, 3 + 25 + 25 + 27)
    core.step()
    assert core.reg(0) == 17


def test_thumb_code_on_the_bus() -> None:
    core, board = start("add r1, r9, #1\n bx r1")
    code = assemble(".thumb\n movs r0, #3\n bl 1f\n movs r0, #4\n 1: movs r2, #5\n bx lr\n")
    board.ram[: len(code)] = code
    core.step(2 + 5)
    assert (core.reg(0), core.reg(2), core.pc, core.cpsr & 0x20) == (3, 5, RAM + 6, 0x20)


def test_store_into_itcm_changes_the_code() -> None:
    core, _ = start("2: str r1, [r2]\n mov r0, #1\n 1: mov r0, #1\n b 2b")
    core.set_reg(1, int.from_bytes(assemble("mov r0, #5"), "little"))
    core.set_reg(2, 0x1008)
    core.step(3)
    assert core.reg(0) == 5
    core.set_reg(2, 0x1004)
    core.step(3)
    assert core.reg(0) == 5 and core.pc == 0x1008


def test_running_off_itcm_leaves_for_the_bus() -> None:
    core, board = start(NOPS)
    core.write_memory(0x7FF8, assemble("mov r0, #1\n mov r0, #2"))
    core.pc = 0x7FF8
    core.run(6)
    assert core.reg(0) == 2 and board.exceptions == [(0xC, 0x8000)]


def test_watches_report_reads_and_writes_of_their_range_only() -> None:
    core, board = start(
        "ldr r0, [r10]\n strb r0, [r10, #17]\n ldm r10, {r0-r5}\n str r0, [r10, #32]"
    )
    handle = core.watch(DTCM_BASE + 16, 8)
    core.step(4)
    at = DTCM_BASE + 16
    assert board.watched == [(at + 1, 1, True), (at, 4, False), (at + 4, 4, False)]
    core.unwatch(handle)
    core.pc = 0x1000
    core.step(4)
    assert len(board.watched) == 3


def test_watch_does_not_change_time() -> None:
    text = "1: ldm r10, {r0-r5}\n ldrh r6, [r10, #18]\n str r0, [r10, #16]\n b 1b"
    plain, _ = start(text)
    watched, board = start(text)
    watched.watch(DTCM_BASE + 16, 8)
    for core in (plain, watched):
        core.run(400)
    assert plain.cycles == watched.cycles and board.watched


def test_copied_state_goes_on_like_the_original() -> None:
    text = "1: add r0, r0, #1\n str r0, [r10], #4\n str r0, [r11]\n b 1b"
    core, board = start(text)
    core.run(100)
    twin, twin_board = Core(other := Board()), other
    twin.run(1)
    twin.copy_state(core)
    for one in (core, twin):
        one.run(200)
    assert twin_board.writes == [write for write in board.writes if write[0] >= 100]
    assert twin.read_memory(DTCM_BASE, 256) == core.read_memory(DTCM_BASE, 256)
