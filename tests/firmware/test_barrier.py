"""The barrier of docs/spec/barrier.md: no loss stops it, every loss shows in the counters."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Iterator

import barrier_model as model
import pytest
from barrier_model import Chip

from spindle.spec import arena as spec

SHAPES = [
    (16, True),
    (16, False),
    (15, False),
    (7, False),
    (5, False),
    (2, False),
    (1, True),
    (1, False),
]
shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ctypes.CDLL]:
    yield model.library(tmp_path_factory.mktemp("barrier"))


def uneven(launch: int, step: int, place: int) -> int:
    return 100 + (launch * 7919 + step * 104729 + place * 1299709) % 30000


def ran_all(chip: Chip) -> bool:
    """Every core with lanes ran every step of every launch, in order."""
    wanted = [(n, s) for n in range(1, chip.n_launches + 1) for s in range(chip.n_steps)]
    return all(
        core.ran == wanted for core in chip.cores if core.place < 16 and core.number != chip.service
    )


@shape
@pytest.mark.parametrize("work", [lambda *_: 500, uneven], ids=["even", "uneven"])
def test_all_meet_and_nothing_is_resent(loaded: ctypes.CDLL, shape: tuple[int, bool], work) -> None:
    chip = Chip(loaded, *shape, work=work)
    chip.run()
    n_others = len(chip.cores) - 1
    barriers = chip.n_launches * chip.n_steps
    assert ran_all(chip) and chip.finished == chip.n_launches
    assert chip.sent == chip.received == n_others * (2 * barriers + chip.n_launches)
    assert chip.resent == 0


@shape
def test_steps_are_in_step(loaded: ctypes.CDLL, shape: tuple[int, bool]) -> None:
    """Nobody leaves a barrier before the last one has come."""
    arrived: dict[tuple[int, int], int] = {}
    left: dict[tuple[int, int], int] = {}

    def work(launch: int, step: int, place: int) -> int:
        if step:
            left.setdefault((launch, step - 1), chip.now)
        cycles = uneven(launch, step, place)
        arrived[launch, step] = max(arrived.get((launch, step), 0), chip.now + cycles)
        return cycles

    chip = Chip(loaded, *shape, work=work)
    chip.run()
    assert all(left[key] >= arrived[key] for key in left)


def check_losses(chip: Chip) -> None:
    assert ran_all(chip), [core.ran for core in chip.cores]
    assert chip.finished == chip.n_launches


@shape
@pytest.mark.parametrize("work", [lambda *_: 500, uneven], ids=["even", "uneven"])
def test_every_single_loss(loaded: ctypes.CDLL, shape: tuple[int, bool], work) -> None:
    healthy = Chip(loaded, *shape, work=work)
    healthy.run()
    for lost in range(healthy.n_deliveries):
        kinds: list[int] = []

        def loses(n: int, key: int, lost: int = lost, kinds: list[int] = kinds) -> bool:
            if n == lost:
                kinds.append(key >> 6 & 3)
            return n == lost

        chip = Chip(loaded, *shape, work=work, loses=loses)
        chip.run()
        check_losses(chip)
        is_counted = kinds[0] in (0, 3)
        assert chip.sent - chip.received == is_counted


@pytest.mark.parametrize("seed", range(30))
def test_many_losses(loaded: ctypes.CDLL, seed: int) -> None:
    rng = random.Random(seed)
    shape = rng.choice(SHAPES)
    rate = rng.choice([0.01, 0.1, 0.4])
    lost = [0]

    def loses(n: int, key: int) -> bool:
        is_lost = rng.random() < rate
        lost[0] += is_lost and key >> 6 & 3 in (0, 3)
        return is_lost

    chip = Chip(loaded, *shape, work=uneven, loses=loses, n_launches=4, n_steps=5)
    chip.run()
    check_losses(chip)
    assert chip.sent - chip.received == lost[0]


@shape
def test_a_stopped_lane_ends_the_launch_for_all(
    loaded: ctypes.CDLL, shape: tuple[int, bool]
) -> None:
    for place in range(shape[0]):
        chip = Chip(loaded, *shape, work=uneven, stop_at=(1, 1, place))
        chip.run()
        for core in chip.cores:
            assert [entry for entry in core.done if entry[0] == 1] == [
                (1, 0, model.GO),
                (1, 1, model.STOP),
            ]
            assert [entry[2] for entry in core.done if entry[0] == 2] == [0, 0, model.END]


def test_generations_wrap(loaded: ctypes.CDLL) -> None:
    chip = Chip(loaded, 16, True, n_launches=3, n_steps=4)
    for core in chip.cores:
        core.barrier.generation = 0xFFFA
    for core in chip.cores:
        for slot in range(spec.N_SLOTS):
            core.barrier.slot[slot] = spec.slot_key(slot) | 0xFFFA << 8
        for slot in range(16, 32):
            core.barrier.slot[slot] = 0
    chip.run()
    check_losses(chip)
