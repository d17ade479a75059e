"""Where the tasks of an epoch lie in the arena: on both sides, apart, or one after another."""

from __future__ import annotations

from spindle.ir.plan import Task
from spindle.schedule.halves import HALF_WORDS, place
from spindle.schedule.memory import RESIDENT_START


def task(words: int, work: int | None = None, exclusive: bool = False) -> Task:
    """A task of so many words whose workspace begins at `work`, near its end if None."""
    at = words - 2 if work is None else work
    tile = (1, 1, 1, 1)
    return Task("STRIP", tile, tile, (), work=at, words=words, exclusive=exclusive)


def starts(tasks: list[Task]) -> list[int | None]:
    """First word of each; None where it owns the arena."""
    made = zip(tasks, place(tasks), strict=True)
    return [None if p.exclusive else p.work - t.work for t, p in made]


def test_alternate() -> None:
    assert starts([task(100), task(200), task(300)]) == [0, RESIDENT_START - 200, 0]


def test_a_large_task_lies_at_the_top() -> None:
    """Its workspace, behind its buffers, begins in the upper half: so it cannot be a lower one."""
    large = HALF_WORDS + 1000
    assert starts([task(large), task(100)]) == [RESIDENT_START - large, 0]
    assert starts([task(100), task(large), task(100)]) == [0, RESIDENT_START - large, 0]


def test_no_room_beside() -> None:
    """A neighbour that does not fit beside a large task owns the arena, or takes its side."""
    large, other = HALF_WORDS + 1000, HALF_WORDS - 900
    assert starts([task(large), task(other)]) == [RESIDENT_START - large, RESIDENT_START - other]
    assert starts([task(large), task(large)]) == [RESIDENT_START - large] * 2
    assert starts([task(large), task(large, work=0)]) == [RESIDENT_START - large, None]


def test_exclusive_stays() -> None:
    assert starts([task(100), task(7000, exclusive=True), task(100)]) == [0, None, 0]
