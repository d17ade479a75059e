"""Spindle (SPINnaker Deep LEarning): trains and runs deep neural networks on SpiNNaker machines.

The public names are the list below; everything else may change.
"""

from spindle.api import compile, device_put, jit, load
from spindle.array import Array
from spindle.compiled import Compiled
from spindle.errors import (
    FaultError,
    InternalError,
    LostArrayError,
    MachineError,
    OutOfMemoryError,
    UnsupportedError,
    UserError,
)
from spindle.options import Options, options
from spindle.session import last_run, open_machine

__all__ = [
    "Array",
    "Compiled",
    "FaultError",
    "InternalError",
    "LostArrayError",
    "MachineError",
    "Options",
    "OutOfMemoryError",
    "UnsupportedError",
    "UserError",
    "compile",
    "device_put",
    "jit",
    "last_run",
    "load",
    "open_machine",
    "options",
]
