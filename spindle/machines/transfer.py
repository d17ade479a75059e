"""Carriers: how bytes get to a chip's SDRAM and back; one scatter/gather list a call.

In: (address, bytes) pieces. Out: the same bytes, whatever carries them. `scp`: SC&MP's READ and
WRITE, all pieces of a list in one stream of requests, through the helper process. `backdoor`: a
virtual board's memory, stored behind its cores' backs through a shared file; it takes no time of
the board, so reports name it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from spindle.machines.hostd.client import Hostd

CALL_BYTES = 1 << 18
"""A call's payload at most: an abort waits for no more than this."""

CALL_PIECES = 4096

Chip = tuple[int, int]
Piece = tuple[int, bytes | memoryview]
Span = tuple[int, int]


class Carrier(Protocol):
    """Moves bytes between this host and the SDRAM of one chip. Raises MachineError."""

    name: str

    def write(self, pieces: Sequence[Piece]) -> None:
        """Store bytes at their addresses, in this order."""

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        """The bytes at (address, size)."""

    def zero(self, addr: int, size_bytes: int) -> None:
        """Clear memory; the size is a multiple of 4."""

    def close(self) -> None:
        """Give back what the carrier holds on this host."""


class ScpCarrier:
    """Over the board's Ethernet, as any host."""

    name = "scp"

    def __init__(self, hostd: Hostd, chip: Chip) -> None:
        self._hostd = hostd
        self._at: dict[str, Any] = {"x": chip[0], "y": chip[1]}

    def write(self, pieces: Sequence[Piece]) -> None:
        """Store bytes at their addresses, in this order."""
        for call in calls([(addr, memoryview(data)) for addr, data in pieces]):
            payload = b"".join(data for _, data in call)
            sizes = [[addr, len(data)] for addr, data in call]
            self._hostd.call("write", payload, pieces=sizes, **self._at)

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        """The bytes at (address, size)."""
        return [b"".join(self._read_parts(addr, size)) for addr, size in spans]

    def _read_parts(self, addr: int, size_bytes: int) -> Iterator[bytes]:
        for at in range(0, size_bytes, CALL_BYTES):
            span = [addr + at, min(CALL_BYTES, size_bytes - at)]
            yield self._hostd.fetch("read", pieces=[span], **self._at)[1]

    def zero(self, addr: int, size_bytes: int) -> None:
        """Clear memory; the size is a multiple of 4."""
        self._hostd.call("fill", addr=addr, word=0, size_bytes=size_bytes, **self._at)

    def close(self) -> None:
        """Nothing: the helper belongs to the machine."""


View = tuple[int, memoryview]


def calls(
    pieces: Sequence[View], call_bytes: int = CALL_BYTES, call_pieces: int = CALL_PIECES
) -> Iterator[list[View]]:
    """Cut a list into calls of so many bytes and pieces at most, large pieces too."""
    call: list[View] = []
    room = call_bytes
    for addr, data in pieces:
        while len(data) > room or len(call) == call_pieces:
            yield [*call, (addr, data[:room])] if len(call) < call_pieces else call
            if len(call) < call_pieces:
                addr, data = addr + room, data[room:]
            call, room = [], call_bytes
        call.append((addr, data))
        room -= len(data)
    if call:
        yield call
