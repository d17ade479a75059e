"""ctypes binding of the host build of firmware/: cycles, workspace, and a harness for kernels.

A leaf like spec/: schedule/ and machines/native may import it. build.py compiles, cost.py asks
formulas, harness.py runs kernels from Python.
"""

from __future__ import annotations

from spindle.kernels_host.cost import TaskCost

__all__ = ["TaskCost"]
