"""open_machine: a machine by its name."""

from __future__ import annotations

from typing import Any

from spindle.errors import UserError
from spindle.machines.machine import Machine
from spindle.machines.native import NativeMachine

KNOWN = "native"
_NOT_YET = "the virtual board and real boards are not built yet"


def open_machine(name: str = "native", *, cores: int | None = None, **switches: Any) -> Machine:
    """Open a machine: "native", this host. cores: how many of a chip's 17 to use.

    switches of native: cost_set ("nominal" or "pessimistic"), dma_mode (0 or 1).
    Raises UserError on a name or switch that is not known.
    """
    if name == "iss" or name.startswith("spin"):
        raise UserError(f"machine {name!r} cannot be opened: {_NOT_YET}", fix=f"use {KNOWN!r}")
    if name != "native":
        raise UserError(f"machine {name!r} is not known", fix=f"use {KNOWN!r}")
    unknown = set(switches) - {"cost_set", "dma_mode"}
    if unknown:
        raise UserError(
            f"native has no switch {min(unknown)!r}", fix="it has cost_set, dma_mode and cores"
        )
    if cores is not None:
        switches["n_cores"] = cores
    return NativeMachine(**switches)
