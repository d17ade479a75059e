"""The backdoor carrier: a virtual board's SDRAM through a file that both processes map.

In and out: as transfer.py says. It takes no time of the board; reports name it.
"""

from __future__ import annotations

import mmap
import tempfile
import threading
from collections.abc import Sequence

from spindle.errors import MachineError
from spindle.machines.transfer import Chip, Piece, Span, calls
from spindle.vboard.process import BoardProcess
from spindle.vboard.window import WINDOW_BYTES

MAX_PIECES = 500
"""Of one request: it is one datagram."""


class BackdoorCarrier:
    """Moves bytes to and from one chip of a board that runs on this host."""

    name = "backdoor"

    def __init__(self, process: BoardProcess, chip: Chip) -> None:
        self._process, self._chip = process, chip
        self._lock = threading.Lock()
        self._file = tempfile.NamedTemporaryFile(prefix="spindle-")  # noqa: SIM115
        self._file.truncate(WINDOW_BYTES)
        self._window = mmap.mmap(self._file.fileno(), WINDOW_BYTES)

    def write(self, pieces: Sequence[Piece]) -> None:
        """Store bytes at their addresses, in this order."""
        views = [(addr, memoryview(data)) for addr, data in pieces]
        for call in calls(views, WINDOW_BYTES, MAX_PIECES):
            data = b"".join(part for _, part in call)
            with self._lock:
                self._window[: len(data)] = data
                self._ask("poke", [(addr, len(part)) for addr, part in call])

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        """The bytes at (address, size)."""
        return [self._read(addr, size) for addr, size in spans]

    def _read(self, addr: int, size_bytes: int) -> bytes:
        parts = []
        for at in range(0, size_bytes, WINDOW_BYTES):
            size = min(WINDOW_BYTES, size_bytes - at)
            with self._lock:
                self._ask("peek", [(addr + at, size)])
                parts.append(self._window[:size])
        return b"".join(parts)

    def zero(self, addr: int, size_bytes: int) -> None:
        """Clear memory; the size is a multiple of 4."""
        self.write([(addr, bytes(size_bytes))])

    def _ask(self, do: str, pieces: Sequence[Span]) -> None:
        x, y = self._chip
        place: dict[str, object] = {"x": x, "y": y, "file": self._file.name}
        answer = self._process.ask({"do": do, "pieces": list(pieces)} | place)
        if "error" in answer:
            raise MachineError(f"the virtual board's back door is shut: {answer['error']}")

    def close(self) -> None:
        """Unmap and remove the file."""
        self._window.close()
        self._file.close()
