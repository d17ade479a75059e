"""The host's side of a virtual board's status port (docs/board.md).

In: a request, a JSON object. Out: the answer to that very request: it carries the request's number,
and an answer that comes after its asker gave up is dropped.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable

ANSWER_S = 10.0
LOOK_S = 0.5


class StatusPort:
    """One socket; for many threads."""

    def __init__(self, address: str, port: int) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(LOOK_S)
        self._socket.connect((address, port))

    def ask(
        self, request: dict[str, object], lives: Callable[[], bool] = lambda: True
    ) -> dict[str, object]:
        """Answer of the board. Raises OSError when none comes in 10 s, or its process has ended."""
        with self._lock:
            self._number += 1
            self._socket.send(json.dumps(request | {"id": self._number}).encode())
            return self._await(time.monotonic() + ANSWER_S, lives)

    def _await(self, end: float, lives: Callable[[], bool]) -> dict[str, object]:
        while True:
            try:
                answer = json.loads(self._socket.recv(65536))
            except TimeoutError:
                if not lives() or time.monotonic() > end:
                    raise
                continue
            assert isinstance(answer, dict)
            if answer.get("id") == self._number:
                return answer

    def time_ns(self, lives: Callable[[], bool] = lambda: True) -> int:
        """The board's own time since power on."""
        return int(str(self.ask({"do": "clock"}, lives)["time_ns"]))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
