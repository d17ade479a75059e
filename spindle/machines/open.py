"""open_machine: a machine by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spindle.errors import UserError
from spindle.machines.machine import Machine
from spindle.machines.native import NativeMachine

KNOWN = "use 'native', 'iss', 'spin3:HOSTNAME' or 'spin5:HOSTNAME'"
BOARDS = {"spin3": 3, "spin5": 5}


def open_machine(name: str = "native", *, cores: int | None = None, **switches: Any) -> Machine:
    """Open a machine. cores: how many of a chip's 17 to use.

    native, this host: cost_set ("nominal" or "pessimistic"), dma_mode (0 or 1).
    iss, a virtual board: dead_cores, lose, slow, seed, shape, pristine, cold, guard, record,
    address, carrier ("scp" or "backdoor"), as `spindle board` has them.
    spin3:HOSTNAME, spin5:HOSTNAME, a board of 4 or 48 chips.
    Raises UserError on a name or switch that is not known, MachineError where it cannot be opened.
    """
    kind, _, host = name.partition(":")
    if kind in BOARDS and host:
        return _open_board(BOARDS[kind], host, cores, switches)
    openers: dict[str, Callable[..., Machine]] = {"native": _open_native, "iss": _open_iss}
    if name not in openers:
        raise UserError(f"machine {name!r} is not known", fix=KNOWN)
    return openers[name](cores, switches)


def _open_native(cores: int | None, switches: dict[str, Any]) -> Machine:
    unknown = set(switches) - {"cost_set", "dma_mode"}
    if unknown:
        raise UserError(
            f"native has no switch {min(unknown)!r}", fix="it has cost_set, dma_mode and cores"
        )
    if cores is not None:
        switches["n_cores"] = cores
    return NativeMachine(**switches)


def _open_iss(cores: int | None, switches: dict[str, Any]) -> Machine:
    from spindle.machines.iss import IssMachine

    return IssMachine(cores=cores, **switches)


def _open_board(version: int, host: str, cores: int | None, switches: dict[str, Any]) -> Machine:
    from spindle.machines.board import BoardMachine, BoardSwitches
    from spindle.machines.hostd.clock import WallClock

    if switches:
        raise UserError(f"a board has no switch {min(switches)!r}", fix="it has cores only")
    return BoardMachine(host, WallClock(), BoardSwitches(version, cores))
