"""Epochs: inputs first, loops alone, light jobs beside heavy ones."""

from __future__ import annotations

from spindle.schedule.jobs import Block, Buf, Job
from spindle.schedule.order import epochs


def job(name: str, reads: list[Buf], work: float = 1.0, alone: bool = False) -> tuple[Job, Buf]:
    made = Buf(name, 4, name)
    return Job(lambda room: [], tuple(reads), (made,), work, alone=alone), made


def test_a_job_comes_after_its_inputs() -> None:
    first, a = job("a", [])
    second, _ = job("b", [a])
    assert epochs(Block([second, first])) == [[first], [second]]


def test_a_light_job_that_can_wait_moves_beside_a_heavy_one() -> None:
    start, a = job("a", [])
    light, _ = job("light", [])
    heavy, _ = job("heavy", [a], work=100)
    assert epochs(Block([start, light, heavy])) == [[start], [light, heavy]]


def test_a_loop_is_alone_even_where_others_could_wait_for_it() -> None:
    """`late` may start in the first epoch after `quick`, which moves up to the loop's."""
    start, a = job("a", [])
    quick, q = job("q", [])
    heavy, h = job("h", [a], work=100)
    loop, x = job("loop", [h], alone=True)
    late, c = job("late", [q])
    end, _ = job("end", [x, c])
    found = epochs(Block([start, quick, heavy, loop, late, end]))
    assert [loop] in found
    assert found.index([loop]) > next(i for i, group in enumerate(found) if heavy in group)
    order = {member: i for i, group in enumerate(found) for member in group}
    assert order[quick] < order[late] < order[end]


def test_registers_are_set_in_the_epoch_that_uses_them() -> None:
    first, start = job("start", [])
    source, view = job("view", [start])
    source.sets = True
    user, _ = job("user", [view])
    assert epochs(Block([first, source, user])) == [[first], [source, user]]


def test_what_a_register_is_read_from_is_overwritten_an_epoch_later() -> None:
    first, start = job("start", [])
    source, view = job("view", [start])
    source.sets = True
    user, _ = job("user", [view])
    writer, new = job("next", [])
    new.over = start
    found = epochs(Block([first, source, user, writer]))
    order = {member: i for i, group in enumerate(found) for member in group}
    assert order[source] < order[writer]
