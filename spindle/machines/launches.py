"""Launches of one machine: run in order by a thread of their own, waited for, aborted.

In: functions to call. Out: Events that carry a Run or the error. The thread stays for a moment when
there is no work, since starting one costs more than a small launch's Python.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from spindle.machines.machine import Run

IDLE_S = 1.0
"""How long the thread waits for more work before it ends."""


class LaunchEvent:
    """A launch under way: the Event of machines/machine.py."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._run: Run | None = None
        self._error: Exception | None = None

    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._over.is_set()

    def settle(self) -> None:
        """Wait for the end, whatever it is."""
        self._over.wait()

    def wait(self, timeout_s: float | None = None) -> Run:
        """Wait for the end; return its record or raise its error; TimeoutError after timeout_s."""
        if not self._over.wait(timeout_s):
            raise TimeoutError(f"the launch has not ended within {timeout_s} s")
        if self._error is not None:
            raise self._error
        assert self._run is not None
        return self._run

    def finish(self, run: Run | None, error: Exception | None) -> None:
        """Set the outcome; called once, by the thread that ran it."""
        self._run, self._error = run, error
        self._over.set()


class Launches:
    """A queue of launches, run one after another in the order they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._more = threading.Condition(self._lock)
        self._queue: deque[tuple[LaunchEvent, Callable[[], Run]]] = deque()
        self._working = False
        self._has_thread = False

    def submit(self, work: Callable[[], Run]) -> LaunchEvent:
        """Queue `work`; its result or SpindleError ends up in the Event."""
        event = LaunchEvent()
        with self._lock:
            self._queue.append((event, work))
            self._working = True
            if self._has_thread:
                self._more.notify()
            else:
                self._has_thread = True
                threading.Thread(target=self._drain, name="spindle-native", daemon=True).start()
        return event

    def wait_idle(self) -> None:
        """Return when everything queued has ended."""
        with self._idle:
            self._idle.wait_for(lambda: not self._working)

    def _drain(self) -> None:
        while (entry := self._next()) is not None:
            _perform(*entry)
            del entry  # it holds the machine, which nobody may need any more

    def _next(self) -> tuple[LaunchEvent, Callable[[], Run]] | None:
        """Take the next launch; None, and the thread's end, where none comes."""
        with self._lock:
            if not self._queue:
                self._working = False
                self._idle.notify_all()
                self._more.wait_for(lambda: self._queue, IDLE_S)
            if self._queue:
                return self._queue.popleft()
            self._has_thread = False
            return None


def _perform(event: LaunchEvent, work: Callable[[], Run]) -> None:
    try:
        run = work()
    except Exception as error:
        event.finish(None, error)
    else:
        event.finish(run, None)
