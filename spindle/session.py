"""The session: which machine programs run on by default, and the record of the last launch.

In: a machine's name. Out: an open Machine. The one place with process-wide state, so that
`spindle.jit(f)(x)` works without ceremony; every call also takes `machine=` explicitly.
"""

from __future__ import annotations

import atexit
from dataclasses import dataclass

from spindle.errors import UserError
from spindle.machines.machine import Machine, Run

MACHINES = ("native",)


@dataclass
class Session:
    """The default machine and the last Run."""

    machine: Machine | None = None
    run: Run | None = None


SESSION = Session()


def open_machine(name: str = "native", *, cores: int | None = None) -> Machine:
    """Open a machine and make it the default of this process.

    name: "native" (the host build of the kernels with a timing model).
    cores: use at most so many cores per chip (None: all); bits never depend on it.
    Raises UserError for an unknown name, MachineError where it cannot be opened.
    """
    machine = _open(name, cores)
    atexit.register(machine.close)
    SESSION.machine = machine
    return machine


def _open(name: str, cores: int | None) -> Machine:
    if name not in MACHINES:
        raise UserError(
            f"there is no machine {name!r}", fix=f"use one of: {', '.join(map(repr, MACHINES))}"
        )
    from spindle.machines.native import NativeMachine

    return NativeMachine(cores=cores)


def machine_or_default(machine: Machine | None) -> Machine:
    """Return `machine`, else the one opened last, else a native one opened now."""
    if machine is not None:
        return machine
    return SESSION.machine if SESSION.machine is not None else open_machine()


def last_run() -> Run | None:
    """Return the record of the last launch of this process, None before the first."""
    return SESSION.run
