"""Compiled: an Image as a callable on flat arrays; loaded on a machine at its first call."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np

from spindle.array import Array, NDArray
from spindle.errors import UserError
from spindle.image.image import Image
from spindle.ir.graph import DTYPES
from spindle.launch import Argument, Executable, launch, load_image
from spindle.machines.machine import Machine
from spindle.session import machine_or_default

NARROWER = {np.dtype(f"{kind}8"): np.dtype(f"{kind}4") for kind in "fiu"}
"""What JAX makes of 64-bit host arrays with x64 off."""


class Compiled:
    """A compiled StableHLO program: call it with one array per parameter; `image` is its Image."""

    def __init__(self, image: Image, machine: Machine | None = None) -> None:
        self.image, self._machine = image, machine
        self._loaded: Executable | None = None

    def __call__(self, *arrays: Any) -> tuple[Array, ...]:
        """Run once. Raises UserError where the number, a shape or a type does not fit."""
        if len(arrays) != len(self.image.args):
            raise UserError(
                f"{self.image.name} takes {len(self.image.args)} arrays, {len(arrays)} were given",
                fix="pass one array per parameter, flat",
            )
        executable = self._executable()
        given = [self._argument(executable, i, array) for i, array in enumerate(arrays)]
        return tuple(launch(executable, given))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the Image to a file that `load` reads."""
        self.image.save(path)

    def _executable(self) -> Executable:
        machine = machine_or_default(self._machine)
        if self._loaded is None or self._loaded.machine is not machine:
            self._loaded = load_image(self.image.name, self.image, machine)
        return self._loaded

    def _argument(self, executable: Executable, index: int, value: Any) -> Argument:
        wanted = self.image.args[index]
        array = value if isinstance(value, Array) else _narrowed(value, DTYPES[wanted.dtype])
        if (array.shape, array.dtype) != (wanted.shape, DTYPES[wanted.dtype]):
            raise UserError(
                f"argument {executable.path(index)} is {array.dtype}{list(array.shape)}",
                where=executable.name,
                limit=f"the program takes {DTYPES[wanted.dtype]}{list(wanted.shape)}",
                fix="cast or reshape it",
            )
        return array


def _narrowed(value: Any, wanted: np.dtype[Any]) -> NDArray:
    """Return a host array, 64-bit types as JAX casts them unless the program takes them."""
    array = np.asarray(value)
    if array.dtype == wanted:
        return array
    return array.astype(NARROWER.get(array.dtype, array.dtype), copy=False)
