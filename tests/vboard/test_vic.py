"""The interrupt controller at its registers (hardware.md 2.1)."""

from spindle.vboard.chip_host import Rig

VIC = 0x1F000000
SELECT, ENABLE, DISABLE, SOFT_SET, SOFT_CLR, VADDR, DEFADDR = (
    0x0C,
    0x10,
    0x14,
    0x18,
    0x1C,
    0x30,
    0x34,
)
ADDR, CNTL = 0x100, 0x200
SOFT_SOURCES = (1, 28, 29)


class Vic:
    """Accesses in program order, ten cycles apart."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.cycle = 0

    def write(self, offset: int, value: int, base: int = VIC) -> None:
        self.cycle += 10
        self.rig.write(self.cycle, base + offset, value)

    def read(self, offset: int, base: int = VIC) -> int:
        self.cycle += 10
        return self.rig.read(self.cycle, base + offset)

    def slot(self, slot: int, source: int) -> None:
        self.write(CNTL + 4 * slot, 0x20 | source)
        self.write(ADDR + 4 * slot, 0x1000 + slot)
        self.write(ENABLE, 1 << source)

    @property
    def irq(self) -> bool:
        return self.rig.state().irq


def test_vectored_interrupt_from_request_to_end(rig: Rig) -> None:
    vic = Vic(rig)
    vic.slot(0, 1)
    assert not vic.irq
    vic.write(SOFT_SET, 2)
    assert vic.irq
    assert vic.read(VADDR) == 0x1000
    assert not vic.irq  # in service: the same level does not interrupt itself
    vic.write(SOFT_CLR, 2)
    vic.write(VADDR, 0)
    assert not vic.irq


def test_only_higher_slots_interrupt_a_handler(rig: Rig) -> None:
    vic = Vic(rig)
    for slot, source in zip((5, 3, 1), SOFT_SOURCES, strict=True):
        vic.slot(slot, source)
    vic.write(SOFT_SET, 1 << 28)
    assert vic.read(VADDR) == 0x1003
    vic.write(SOFT_SET, 1 << 1)
    assert not vic.irq
    vic.write(SOFT_SET, 1 << 29)
    assert vic.read(VADDR) == 0x1001
    vic.write(SOFT_CLR, 1 << 29)
    vic.write(VADDR, 0)  # ends slot 1; slot 3 is still in service
    assert not vic.irq
    vic.write(SOFT_CLR, 1 << 28)
    vic.write(VADDR, 0)
    assert vic.irq
    assert vic.read(VADDR) == 0x1005


def test_non_vectored_source_that_nobody_clears_interrupts_once(rig: Rig) -> None:
    """A source left enabled without a slot, whose handler only returns (vboard.md S2)."""
    vic = Vic(rig)
    vic.write(DEFADDR, 0xDEF)
    vic.write(ENABLE, 2)
    vic.write(SOFT_SET, 2)
    assert vic.irq
    assert vic.read(VADDR) == 0xDEF
    assert not vic.irq
    vic.slot(15, 28)
    vic.write(SOFT_SET, 1 << 28)
    assert vic.read(VADDR) == 0x100F  # vectors still come through
    vic.write(SOFT_CLR, 1 << 28)
    vic.write(VADDR, 0)
    assert not vic.irq  # level 16 is still in service


def test_vector_read_with_nothing_pending(rig: Rig) -> None:
    vic = Vic(rig)
    vic.write(DEFADDR, 0xDEF)
    vic.slot(0, 1)
    assert vic.read(VADDR) == 0xDEF
    vic.write(SOFT_SET, 2)
    assert vic.irq  # nothing went into service


def test_fiq_select_and_aliases(rig: Rig) -> None:
    vic = Vic(rig)
    vic.write(SELECT, 2, base=0x2F000000)
    vic.write(ENABLE, 2, base=0xFFFFF000)
    vic.write(SOFT_SET, 2)
    state = rig.state()
    assert state.fiq and not state.irq
    assert vic.read(ENABLE, base=0x2F000000) == 2
    vic.write(DISABLE, 2)
    assert not rig.state().fiq
    assert vic.read(SELECT, base=0xFFFFF000) == 2
