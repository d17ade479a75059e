"""The session: which machine programs run on by default, and the record of the last launch.

In: a machine's name. Out: an open Machine. The one place with process-wide state, so that
`spindle.jit(f)(x)` works without ceremony; every call also takes `machine=` explicitly.
"""

from __future__ import annotations

import atexit
from dataclasses import dataclass
from typing import Any

from spindle.machines.machine import Machine, Run


@dataclass
class Session:
    """The default machine and the last Run."""

    machine: Machine | None = None
    run: Run | None = None


SESSION = Session()


def open_machine(name: str = "native", *, cores: int | None = None, **switches: Any) -> Machine:
    """Open a machine and make it the default of this process.

    name: "native" (the host build of the kernels with a timing model), "iss" (a virtual board),
    "spin3:HOSTNAME" or "spin5:HOSTNAME" (a board).
    cores: use at most so many cores per chip (None: all); bits never depend on it.
    switches: of native cost_set ("nominal", "pessimistic") and dma_mode (0, 1); of iss those of
    `spindle board` (dead_cores, lose, slow, seed, pristine, ...) and carrier ("scp", "backdoor").
    Raises UserError for an unknown name or switch, MachineError where it cannot be opened.
    """
    from spindle.machines.open import open_machine as open_by_name

    machine = open_by_name(name, cores=cores, **switches)
    atexit.register(machine.close)
    SESSION.machine = machine
    return machine


def machine_or_default(machine: Machine | None) -> Machine:
    """Return `machine`, else the one opened last, else a native one opened now."""
    if machine is not None:
        return machine
    return SESSION.machine if SESSION.machine is not None else open_machine()


def last_run() -> Run | None:
    """Return the record of the last launch of this process, None before the first."""
    return SESSION.run
