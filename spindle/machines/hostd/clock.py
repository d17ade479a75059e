"""Clocks for waits on a board: a real board's time is the wall's, a virtual board tells its own.

A virtual board may be far slower than real time; what is late by the wall is then not late at all.
"""

from __future__ import annotations

import time
from typing import Protocol

from spindle.vboard.status import StatusPort


class Clock(Protocol):
    """Time of a board."""

    def now_ns(self) -> int:
        """Nanoseconds since some moment. Raises OSError where the board is gone."""


class WallClock:
    """The time of a board that is real."""

    def now_ns(self) -> int:
        """Nanoseconds of this host's monotonic clock."""
        return time.monotonic_ns()


class StatusClock:
    """The time of a virtual board, asked at its status port (docs/board.md); for many threads."""

    def __init__(self, address: str, port: int) -> None:
        self._port = StatusPort(address, port)

    def now_ns(self) -> int:
        """Nanoseconds since power on. Raises OSError where the board is gone."""
        return self._port.time_ns()

    def close(self) -> None:
        """Close the socket."""
        self._port.close()
