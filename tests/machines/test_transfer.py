"""Lists of pieces are cut into calls; the bytes and their order stay."""

from __future__ import annotations

import pytest

from spindle.machines.transfer import CALL_BYTES, calls


@pytest.mark.parametrize(
    "sizes",
    [(), (1,), (CALL_BYTES,), (CALL_BYTES + 1,), (5, CALL_BYTES, 7), (3 * CALL_BYTES + 2, 1, 1)],
)
def test_calls(sizes: tuple[int, ...]) -> None:
    memory, wanted, pieces = {}, {}, []
    for n, size in enumerate(sizes):
        pieces.append((n << 24, memoryview(bytes([n + 1]) * size)))
        wanted |= dict.fromkeys(range(n << 24, (n << 24) + size), n + 1)
    for call in calls(pieces):
        assert sum(len(data) for _, data in call) <= CALL_BYTES
        for addr, data in call:
            memory |= dict(zip(range(addr, addr + len(data)), data, strict=True))
    assert memory == wanted


def test_calls_of_few_pieces() -> None:
    pieces = [(n, memoryview(bytes([n]) * 10)) for n in range(7)]
    cut = list(calls(pieces, 25, 3))
    assert all(len(call) <= 3 and sum(len(data) for _, data in call) <= 25 for call in cut)
    assert b"".join(data for call in cut for _, data in call) == b"".join(d for _, d in pieces)
    assert [len(call) for call in calls(pieces, 1000, 3)] == [3, 3, 1]
