"""The interpreter against Unicorn's ARM926: random instructions; registers, flags, memory."""

from __future__ import annotations

import random

import pytest
from vboard_arm_random import ARM_CLASSES, Pair, branch, text, thumb, thumb_call

NOP = bytes.fromhex("0000a0e1")


def check(pair: Pair, words: list[int], *, is_thumb: bool = False) -> bool:
    """Run on both; True when it ran, False when it left the TCMs on our side."""
    found = pair.run(words, is_thumb=is_thumb)
    assert not found, f"{text(words, is_thumb=is_thumb)}\n" + "\n".join(found or [])
    return found is not None


def run_class(make: object, n: int, seed: int, *, is_thumb: bool = False) -> None:
    """n instructions of one class, each alone; at least a tenth must have run."""
    # Unicorn counts on through instructions at a branch's target that fail their condition
    fill = NOP if make is branch else b""
    rng, pair = random.Random(seed), Pair(seed, fill)
    ran = sum(check(pair, [make(rng)], is_thumb=is_thumb) for _ in range(n))  # type: ignore[operator]
    assert ran >= n // 10
    assert not pair.differences(everything=True)


@pytest.mark.parametrize("make", ARM_CLASSES, ids=lambda make: make.__name__)
def test_arm(make: object) -> None:
    run_class(make, 400, 1)


def test_thumb() -> None:
    run_class(thumb, 1200, 2, is_thumb=True)


def test_thumb_calls() -> None:
    rng, pair = random.Random(4), Pair(4)
    for _ in range(100):
        assert check(pair, thumb_call(rng), is_thumb=True)


def straight(rng: random.Random, n: int) -> list[int]:
    """n ARM instructions without branches, r15 as a target or stores over the sequence itself."""
    words: list[int] = []
    while len(words) < n:
        word = rng.choice(ARM_CLASSES[:8])(rng)
        load_pc = word >> 26 & 3 == 1 and (word & 0xF000 == 0xF000 or word & 0xF0000 == 0xF0000)
        block_pc = word >> 25 & 7 == 4 and word & 0x8000
        data_pc = word >> 26 & 3 == 0 and word & 0xF000 == 0xF000
        if not (load_pc or block_pc or data_pc):
            words.append(word)
    return words


def run_sequences(n: int, seed: int) -> None:
    """Sequences of four: results and flags of one feed the next."""
    rng, pair = random.Random(seed), Pair(seed)
    ran = sum(check(pair, straight(rng, 4)) for _ in range(n))
    assert ran >= n // 20


def test_sequences() -> None:
    run_sequences(400, 3)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 14))
def test_many(seed: int) -> None:
    for make in ARM_CLASSES:
        run_class(make, 6000, seed)
    run_class(thumb, 20000, seed, is_thumb=True)
    run_sequences(5000, seed)
