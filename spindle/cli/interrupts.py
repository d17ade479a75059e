"""Ctrl-C that is not lost: Python drops what is raised inside callbacks of its garbage collector.

In: SIGINT while a long command runs. Out: KeyboardInterrupt, at once where it can be raised, else
at the command's next `check`.
"""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """Takes SIGINT inside its `with` block, in the main thread; then the old handler comes back.

    >>> with Interrupts() as interrupts:
    ...     interrupts.check()
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt where one was asked for and lost."""
        if self._asked:
            raise KeyboardInterrupt
