"""Ctrl-C that a callback swallows is raised at the next check."""

from __future__ import annotations

import gc
import signal

import pytest

from spindle.cli.interrupts import Interrupts


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_that_the_garbage_collector_swallows() -> None:
    def callback(phase: str, info: dict[str, int]) -> None:
        signal.raise_signal(signal.SIGINT)

    with Interrupts() as interrupts:
        interrupts.check()
        gc.callbacks.append(callback)
        try:
            gc.collect()
        finally:
            gc.callbacks.remove(callback)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()


def test_one_at_once_and_the_handler_before_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Interrupts():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
