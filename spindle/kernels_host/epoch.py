"""Cycles of an epoch: tasks between two barriers, walked without data by the board of hal/host.

In: packed steps. Out: cycles until the last lane has done all of them, as the estimate of an Image
counts them (docs/spec/timing.md).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from spindle.kernels_host.native import Board, pack_command
from spindle.spec import chip, records

_N_CORES = records.LANES
_KIND = records.FLAGS["STEP"]
_BARRIER = records.FLAGS["STEP_FLAG"]["BARRIER"]
_LANE_AT = records.TASK.offset("lane_first")
_SDRAM_BYTES = 1 << 18
_END = records.STEP.pack({"kind": _KIND["END"], "size": records.STEP.size, "id": 0})
_here = threading.local()


def epoch_cycles(tasks: Sequence[bytes], lanes: Sequence[int]) -> tuple[int, float] | None:
    """Return the cycles of these packed tasks on 16 cores, a barrier behind the last, and how long

    a core is busy on average. lanes: first lane of each, in place of the one packed. None where
    they do not fit the walk.
    """
    return _walker().cycles(_program(tasks, lanes))


def _walker() -> _Walker:
    """Return this thread's walker: a Board is for one launch at a time."""
    if not hasattr(_here, "walker"):
        _here.walker = _Walker()
    walker: _Walker = _here.walker
    return walker


def _program(tasks: Sequence[bytes], lanes: Sequence[int]) -> bytes:
    sizes = [records.STEP.size + len(task) for task in tasks] + [records.STEP.size]
    out = bytearray()
    for number, (task, lane) in enumerate(zip(tasks, lanes, strict=True)):
        last = number == len(tasks) - 1
        out += _step(_BARRIER * last, sizes[number], sizes[number + 1])
        start = len(out)
        out += task
        out[start + _LANE_AT] = lane
    return bytes(out + _END)


@lru_cache(maxsize=1024)
def _step(flags: int, size: int, next_size: int) -> bytes:
    """Head of a task's entry."""
    values = {"kind": _KIND["TASK"], "flags": flags, "size": size, "next_size": next_size, "id": 0}
    return records.STEP.pack(values)


class _Walker:
    """A board whose SDRAM holds command, status, one binding slot and the program."""

    def __init__(self) -> None:
        self._board = Board(np.zeros(_SDRAM_BYTES, np.uint8), _N_CORES, "nominal")
        self._command = chip.SDRAM_BASE
        self._status = self._command + records.COMMAND.size
        self._binding = self._status + records.STATUS.size
        self._program = self._binding + 8

    def cycles(self, program: bytes) -> tuple[int, float] | None:
        """Walk a program of few entries; None where it does not fit, or stops with a fault."""
        if self._program + len(program) > chip.SDRAM_BASE + _SDRAM_BYTES:
            return None
        values = {"program": self._program, "program_bytes": len(program)}
        values |= {"binding": self._binding, "n_slots": 1, "profile": 0}
        self._board.write(self._program, program)
        self._board.write(self._command, pack_command(values))
        return self._board.walk(self._command, self._status)
