"""Shared SDRAM: numbers of docs/spec/timing.md, computed by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay_tools import COMPUTE, CORES, STEP_END, TRANSFER, WAIT, WORK, Tape, replay

FAIR = {"dma_bytes_per_cycle": 2, "sdram_bytes_per_cycle": 2, "dma_fixed_cycles": 100}
"""One engine alone takes all of the SDRAM's rate."""


def cycles(n: int) -> int:
    return 16 * n


def stream(*sizes: int, after: int = 0) -> Tape:
    """Queue all, wait for the last."""
    return [
        (WORK, cycles(after)),
        *((TRANSFER, size) for size in sizes),
        (WAIT, len(sizes)),
    ]


def test_one_core_has_its_own_rate() -> None:
    assert replay([stream(1000)])[0] == [600]
    assert replay([stream(1000)], dma_bytes_per_cycle=8)[0] == [350]
    assert replay([stream(400, 400)])[0] == [600]
    assert replay([stream(0)])[0] == [100]


def test_two_streams_share() -> None:
    assert replay([stream(1000), stream(1000)])[0] == [600, 600]
    assert replay([stream(1000), stream(1000)], **FAIR)[0] == [1100, 1100]
    assert replay([stream(1000)] * 16)[0] == [4100] * 16


def test_the_later_one_gets_the_rest() -> None:
    """A alone for 250 cycles: 500 B; both until A ends at 850; B has 500 B left, alone."""
    assert replay([stream(1000), stream(1000, after=250)], **FAIR)[0] == [850, 1100]


def test_fixed_cycles_overlap_with_bytes_of_others() -> None:
    assert replay([stream(200, 200), stream(800)], **FAIR)[0] == [600, 700]


def test_three_shares_are_exact() -> None:
    """At 4/3 B/cycle 100 B take 75 cycles, 101 B 75.75; at 7/9 B/cycle 1 B takes 1 + 5/16."""
    assert replay([stream(100)] * 3)[0] == [175] * 3
    assert replay([stream(101)] * 3)[0] == [175.75] * 3
    assert replay([stream(1)] * 9, sdram_bytes_per_cycle=7)[0] == [101.3125] * 9


def test_computing_hides_transfers() -> None:
    tape = [(TRANSFER, 1000), (COMPUTE, cycles(500)), (WAIT, 1), (STEP_END, 3 * 16 + 5)]
    assert replay([tape]) == ([600], [(5, 3, 600, 500, 100)])
    tape = [(TRANSFER, 1000), (COMPUTE, cycles(700)), (WAIT, 1), (STEP_END, 3 * 16 + 5)]
    assert replay([tape], start=50) == ([750], [(5, 3, 700, 700, 0)])


def test_an_earlier_ticket_is_waited_for_alone() -> None:
    tape = [(TRANSFER, 200), (TRANSFER, 200), (WAIT, 1), (STEP_END, 0), (WAIT, 2), (STEP_END, 16)]
    assert replay([tape]) == ([400], [(0, 0, 200, 0, 200), (0, 1, 200, 0, 200)])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 10])
def test_what_waits_for_the_core_interrupts_it(n: int) -> None:
    """The engine holds two transfers; each end hands over one more, in the step that computes."""
    tape = [(TRANSFER, 200)] * n + [(COMPUTE, cycles(5000)), (STEP_END, 0), (WAIT, n)]
    took = 5000 + 70 * max(n - 2, 0)
    assert replay([tape], dma_next_cycles=70) == ([took], [(0, 0, took, took, 0)])


def test_a_core_that_waits_is_not_interrupted() -> None:
    tape = [(TRANSFER, 200)] * 4 + [(WAIT, 4), (COMPUTE, cycles(10)), (STEP_END, 0)]
    assert replay([tape]) == ([810], [(0, 0, 810, 10, 800)])


def test_an_interrupt_is_late_for_what_has_been_computed() -> None:
    """Computing ends at 270, after one interrupt at 200; then the core waits."""
    tape = [(TRANSFER, 200)] * 4 + [(COMPUTE, cycles(250)), (WAIT, 4), (STEP_END, 0)]
    assert replay([tape], dma_next_cycles=20) == ([800], [(0, 0, 800, 270, 530)])


EVENTS = st.lists(
    st.tuples(st.sampled_from([WORK, TRANSFER, WAIT]), st.integers(0, 5000)), max_size=30
)


def sound(events: Sequence[tuple[int, int]]) -> Tape:
    """Waits for tickets that exist, each once; all are waited for at the end."""
    tape, queued, waited = [], 0, 0
    for kind, value in events:
        if kind == WAIT:
            ticket = waited + value % (queued - waited + 1)
            if ticket == waited:
                continue
            value = waited = ticket
        queued += kind == TRANSFER
        tape.append((kind, value))
    return [*tape, (WAIT, queued)] if queued > waited else tape


@settings(deadline=None, max_examples=150)
@given(st.lists(EVENTS.map(sound), min_size=1, max_size=CORES), st.randoms())
def test_cores_are_equal_and_sdram_has_its_limit(tapes: list[Tape], random: object) -> None:
    clocks, _ = replay(tapes)
    order = list(range(len(tapes)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert replay([tapes[i] for i in order])[0] == [clocks[i] for i in order]
    n_bytes = sum(value for tape in tapes for kind, value in tape if kind == TRANSFER)
    assert max(clocks) >= n_bytes / 4
    alone = [replay([tape])[0][0] for tape in tapes]
    assert all(together >= own for together, own in zip(clocks, alone, strict=True))


@pytest.mark.parametrize("n", [1, 3, 16])
def test_never_slower_than_a_fixed_share(n: int) -> None:
    """Engines that rest leave their share to others."""
    tapes = [stream(*([64, 2000, 12] * 5), after=37 * i) for i in range(n)]
    share = min(2.0, 4.0 / n)
    clocks, _ = replay(tapes)
    fixed = [37 * i + 15 * 100 + 5 * (64 + 2000 + 12) / share for i in range(n)]
    assert all(c <= f + 1 for c, f in zip(clocks, fixed, strict=True))
