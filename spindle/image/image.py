"""Image: the one artefact between compiler and machines; docs/spec/image.md is its page.

In: made by codegen/ from a Plan, or read from a file. Out: loaded by machines/.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from spindle.ir.graph import TensorType


@dataclass(frozen=True)
class StepInfo:
    """What people call step `id`: label, source line, kind of work, kernel, MACs of one run."""

    id: int
    label: str
    loc: str
    origin: str
    kernel: str
    macs: int = 0
    trips: int = 1


@dataclass(frozen=True)
class Image:
    """A compiled program: program stream and const segment as bytes, and facts about them."""

    name: str
    abi_hash: int
    program: bytes
    const: bytes
    scratch_bytes: int
    args: tuple[TensorType, ...]
    results: tuple[TensorType, ...]
    donated: Mapping[int, int]
    steps: tuple[StepInfo, ...]
    arg_names: tuple[str, ...] = ()
    result_names: tuple[str, ...] = ()
    buffers: tuple[tuple[str, int, str], ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to a file, usually `<name>.spindle`."""
        from spindle.image import file

        file.save(self, path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Image:
        """Read a file. Raises UserError, naming file and reason, where it is not a sound image."""
        from spindle.image import file

        return file.load(path)
