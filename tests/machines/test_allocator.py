"""Allocator: alignment, reuse, coalescing, exhaustion."""

from __future__ import annotations

import random

import pytest

from spindle.errors import OutOfMemoryError
from spindle.machines.allocator import Allocator

BASE = 0x60000000


def test_aligned_and_apart() -> None:
    allocator = Allocator(BASE, 1 << 16)
    addresses = [allocator.alloc(size) for size in (1, 128, 129, 0)]
    assert addresses == [BASE, BASE + 128, BASE + 256, BASE + 512]


def test_best_fit() -> None:
    allocator = Allocator(BASE, 4096)
    big, _, small, _ = (allocator.alloc(size) for size in (1024, 128, 256, 128))
    allocator.free(big)
    allocator.free(small)
    assert allocator.alloc(200) == small


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2)])
def test_coalesces(order: tuple[int, ...]) -> None:
    allocator = Allocator(BASE, 3 * 128)
    addresses = [allocator.alloc(128) for _ in range(3)]
    for i in order:
        allocator.free(addresses[i])
    assert allocator.largest_bytes == allocator.free_bytes == 3 * 128


def test_full() -> None:
    allocator = Allocator(BASE, 1024)
    allocator.alloc(1024)
    with pytest.raises(OutOfMemoryError, match="4 B of SDRAM are needed on a chip; 0 B are free"):
        allocator.alloc(4)


def test_free_twice() -> None:
    allocator = Allocator(BASE, 1024)
    address = allocator.alloc(4)
    allocator.free(address)
    with pytest.raises(KeyError):
        allocator.free(address)


def test_random_use_never_overlaps() -> None:
    rng = random.Random(7)
    allocator = Allocator(BASE, 1 << 14)
    taken: dict[int, int] = {}
    for _ in range(2000):
        if taken and rng.random() < 0.5:
            address = rng.choice(list(taken))
            allocator.free(address)
            del taken[address]
            continue
        size = rng.randrange(1, 1500)
        try:
            address = allocator.alloc(size)
        except OutOfMemoryError:
            continue
        assert all(address + size <= a or a + s <= address for a, s in taken.items())
        taken[address] = size
    for address in taken:
        allocator.free(address)
    assert allocator.largest_bytes == 1 << 14
