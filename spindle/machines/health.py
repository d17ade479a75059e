"""Whether the cores of a session still are ours, run and answer.

In: an Opening, a Layout, waits in the board's time. Out: what is wrong, in words. Asked only after
silence: while lanes run nothing else is sent (docs/machine.md).
"""

from __future__ import annotations

import time

from spindle.machines.opening import IDLE, RTE, RUN, Opening
from spindle.machines.places import Layout

ANSWER_NS = 10_000_000
"""Board time in which a core takes a message out of its mailbox; the monitor gives it 1 ms."""
LOOK_S = 0.01


def what_is_wrong(opening: Opening, layout: Layout) -> str:
    """Say which core has left us, stopped or gone deaf; empty where all are well."""
    states = opening.call(layout, "cores")["cores"]
    for core in layout.cores:
        state, app, _ = states[core]
        if state == RTE:
            return f"core {core} met an exception"
        if (state, app) != (RUN, opening.app):
            return f"core {core} was stopped by another program"
    core_or_none = _deaf_core(opening, layout)
    return "" if core_or_none is None else f"core {core_or_none} does not answer"


def _deaf_core(opening: Opening, layout: Layout) -> int | None:
    """A core that does not take a message out of its mailbox, if there is one."""
    opening.call(layout, "knock", cores=list(layout.cores))
    end = opening.clock.now_ns() + ANSWER_NS
    while opening.clock.now_ns() < end:
        time.sleep(LOOK_S)
    cores = opening.call(layout, "cores")["cores"]
    return next((core for core in layout.cores if cores[core][2]), None)


def is_stopped(opening: Opening, layout: Layout) -> bool:
    """Whether no core of the chip runs our application any more."""
    cores = opening.call(layout, "cores")["cores"]
    return not any(app == opening.app and state != IDLE for state, app, _ in cores[1:])
