"""Walk: the timing of a program, found without data.

The task loop of firmware/rt runs on the virtual board's clocks; tiles are neither moved nor
computed. In: a program stream. Out: the Launch that native has for it (docs/spec/timing.md), except
for whiles (taken `while_trips` times) and the rescue of non-finite dots.
"""

from __future__ import annotations

import numpy as np

from spindle.kernels_host.native import PROFILE_BYTES, Board, Launch, pack_command
from spindle.spec import chip, records


def walk(
    program: bytes,
    n_slots: int,
    n_steps: int,
    *,
    n_cores: int,
    cost_set: str,
    while_trips: int = 1,
) -> Launch:
    """Count one launch. n_slots: words of its binding table; n_steps: step ids it has.

    SDRAM holds command, status, binding table, profile and program, one after another.
    """
    sizes = (
        records.COMMAND.size,
        records.STATUS.size,
        4 * n_slots,
        PROFILE_BYTES * n_steps,
        len(program),
    )
    places = [chip.SDRAM_BASE + sum(sizes[:i]) for i in range(len(sizes))]
    command, status, binding, profile, start = places
    board = Board(np.zeros(sum(sizes), np.uint8), n_cores, cost_set)
    board.write(start, program)
    values = {"program": start, "program_bytes": len(program), "binding": binding}
    values |= {"n_slots": n_slots, "profile": profile}
    board.write(command, pack_command(values))
    try:
        return board.launch(command, status, n_steps, while_trips=while_trips)
    finally:
        board.close()
