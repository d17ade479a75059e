"""Clocks for waits on a board: a real board's time is the wall's, a virtual board tells its own.

A virtual board may be far slower than real time; what is late by the wall is then not late at all.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Protocol

ANSWER_S = 10.0
LOOK_S = 0.5


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
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(LOOK_S)
        self._socket.connect((address, port))

    def now_ns(self) -> int:
        """Nanoseconds since power on. Raises OSError where the board is gone."""
        with self._lock:
            return int(json.loads(self._ask())["time_ns"])

    def _ask(self) -> bytes:
        """Ask until there is an answer; one that was late answers as well."""
        end = time.monotonic() + ANSWER_S
        while True:
            self._socket.send(b'{"do": "clock"}')
            try:
                return self._socket.recv(65536)
            except TimeoutError:
                if time.monotonic() > end:
                    raise

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
