"""Lists of pieces are cut into calls; the bytes and their order stay."""

from __future__ import annotations

import pytest

from spindle.machines.transfer import CALL_BYTES, _calls


@pytest.mark.parametrize(
    "sizes",
    [(), (1,), (CALL_BYTES,), (CALL_BYTES + 1,), (5, CALL_BYTES, 7), (3 * CALL_BYTES + 2, 1, 1)],
)
def test_calls(sizes: tuple[int, ...]) -> None:
    memory, wanted, pieces = {}, {}, []
    for n, size in enumerate(sizes):
        pieces.append((n << 24, memoryview(bytes([n + 1]) * size)))
        wanted |= dict.fromkeys(range(n << 24, (n << 24) + size), n + 1)
    for call in _calls(pieces):
        assert sum(len(data) for _, data in call) <= CALL_BYTES
        for addr, data in call:
            memory |= dict(zip(range(addr, addr + len(data)), data, strict=True))
    assert memory == wanted
