"""Tapes by hand, replayed by firmware/hal/host/replay.c."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from spindle.kernels_host.build import library
from spindle.spec import costs

WORK, COMPUTE, TRANSFER, WAIT, STEP_END, START, ARRIVE = range(7)
"""enum tape_kind"""
CORES = 16
Tape = Sequence[tuple[int, int]]


class _Tape(ctypes.Structure):
    _fields_ = [
        ("events", ctypes.POINTER(ctypes.c_uint64)),
        ("n", ctypes.c_uint32),
        ("room", ctypes.c_uint32),
        ("lost", ctypes.c_uint32),
    ]


class _Step(ctypes.Structure):
    _fields_ = [(n, ctypes.c_uint32) for n in ("lane", "step", "cycles", "compute", "dma_wait")]


_ON_STEP = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(_Step))
_ON_ARRIVE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64)


class _Job(ctypes.Structure):
    _fields_ = [
        ("costs", ctypes.c_void_p),
        ("tapes", ctypes.POINTER(_Tape) * CORES),
        ("first_ticket", ctypes.c_uint32 * CORES),
        ("n_cores", ctypes.c_uint32),
        ("start", ctypes.c_uint64),
        ("clocks", ctypes.c_uint64 * CORES),
        ("on_step", _ON_STEP),
        ("on_arrive", _ON_ARRIVE),
        ("context", ctypes.c_void_p),
    ]


def _tape(events: Tape) -> _Tape:
    words = [kind << 56 | value for kind, value in events]
    return _Tape((ctypes.c_uint64 * max(1, len(words)))(*words), len(words), len(words), 0)


def replay(
    tapes: Sequence[Tape], start: float = 0, **changed: float
) -> tuple[list[float], list[tuple[int, ...]]]:
    """Clocks at the ends in cycles; (lane, step, cycles, compute, dma_wait) of ended steps.

    changed: constants, in cycles or bytes per cycle; the others are the nominal set's.
    """
    values = costs.table("nominal") | {n: round(v * costs.FRACTION) for n, v in changed.items()}
    table = (ctypes.c_uint32 * len(values))(*values.values())
    kept = [_tape(tape) for tape in tapes]
    steps: list[tuple[int, ...]] = []

    def on_step(_: object, step: ctypes._Pointer[_Step]) -> None:
        steps.append(tuple(getattr(step.contents, name) for name, _ in _Step._fields_))

    job = _Job(ctypes.addressof(table), n_cores=len(kept), start=round(start * costs.FRACTION))
    for i, tape in enumerate(kept):
        job.tapes[i] = ctypes.pointer(tape)
        job.first_ticket[i] = 1
    job.on_step, job.on_arrive = _ON_STEP(on_step), _ON_ARRIVE(lambda *_: None)
    library().replay_run(ctypes.byref(job))
    return [clock / costs.FRACTION for clock in job.clocks[: len(kept)]], steps
