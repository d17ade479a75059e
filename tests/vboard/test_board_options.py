"""Shapes, links, dead cores and monitors of a board, and the sentences for impossible ones."""

import pytest

from spindle.errors import UserError
from spindle.vboard.options import (
    CORES,
    BoardOptions,
    chip_positions,
    neighbours,
    places,
    random_dead_cores,
)


def test_a_spinn3_has_the_links_of_the_board() -> None:
    missing = {(0, 0): {3, 4}, (0, 1): {3, 4}, (1, 0): {0, 1}, (1, 1): {0, 1}}
    for x, y in chip_positions((2, 2)):
        links = neighbours((2, 2), x, y)
        assert {n for n, other in enumerate(links) if other < 0} == missing[x, y]


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_each_link_leads_back(shape: tuple[int, int]) -> None:
    for index, (x, y) in enumerate(chip_positions(shape)):
        for link, other in enumerate(neighbours(shape, x, y)):
            if other >= 0:
                there = chip_positions(shape)[other]
                assert neighbours(shape, *there)[(link + 3) % 6] == index


@pytest.mark.parametrize(("depth", "fits"), [(0, False), (1, True), (8, True), (9, False)])
def test_a_receiver_holds_1_to_8_packets(depth: int, fits: bool) -> None:
    if fits:
        assert BoardOptions(receiver_depth=depth).receiver_depth == depth
    else:
        with pytest.raises(UserError, match=f"cannot hold {depth} packets"):
            BoardOptions(receiver_depth=depth)


def test_the_default_board_is_dirty() -> None:
    found = places(BoardOptions())
    assert sum(bin(place.cores_ok).count("1") for place in found) == 4 * CORES - 1
    assert all(place.monitor != 0 for place in found)
    assert all(place.cores_ok >> place.monitor & 1 for place in found)
    assert found != places(BoardOptions(seed=2))


def test_a_pristine_board_is_whole_and_its_monitors_are_core_0() -> None:
    found = places(BoardOptions(pristine=True))
    assert [place.cores_ok for place in found] == [0x3FFFF] * 4
    assert [place.monitor for place in found] == [0] * 4


def test_dead_cores_are_where_they_were_said_to_be() -> None:
    found = places(BoardOptions(dead_cores=((0, 0, 3), (0, 0, 4), (1, 1, 17))))
    assert [place.cores_ok for place in found] == [0x3FFE7, 0x3FFFF, 0x3FFFF, 0x1FFFF]


def test_random_dead_cores_leave_two_on_each_chip() -> None:
    dead = random_dead_cores((2, 2), 64, 5)
    assert len(set(dead)) == 64
    assert all(sum(core[:2] == chip for core in dead) == 16 for chip in chip_positions((2, 2)))
    with pytest.raises(UserError, match="65 cores cannot be dead; at most 64"):
        random_dead_cores((2, 2), 65, 5)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"shape": (3, 1)}, "3x1 chips cannot be emulated; the shapes are 1x1 and 2x2"),
        ({"lose": 1.5}, "1.5 is no loss rate"),
        ({"dead_cores": ((0, 2, 1),)}, r"no core \(0, 2, 1\)"),
        ({"dead_cores": ((0, 0, 18),)}, r"no core \(0, 0, 18\)"),
        (
            {"dead_cores": tuple((0, 0, p) for p in range(17))},
            r"chip \(0, 0\) has 1 working cores",
        ),
    ],
)
def test_impossible_boards_are_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        places(BoardOptions(**changes))  # type: ignore[arg-type]
