"""Options of one compilation: one frozen dataclass, printed in every report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spindle.errors import UserError

Matmul = Literal["bfp28", "bfp16", "bfp13", "float32"]
MATMUL_MODES: tuple[Matmul, ...] = ("bfp28", "bfp16", "bfp13", "float32")


@dataclass(frozen=True)
class Options:
    """How to compile: `matmul` replaces DEFAULT precision only; bits depend on nothing else here.

    max_tile: largest tile side in elements the planner may use (None: what fits).
    fuse: False keeps every op a task of its own (same bits, for debugging).
    """

    matmul: Matmul = "bfp28"
    max_tile: int | None = None
    fuse: bool = True

    def __post_init__(self) -> None:
        if self.matmul not in MATMUL_MODES:
            raise UserError(
                f"matmul={self.matmul!r} is not a mode of multiplying",
                fix="use 'bfp28' (default), 'bfp16', 'bfp13' or 'float32' (exact order, slow)",
            )
        if self.max_tile is not None and self.max_tile < 8:
            raise UserError(
                f"max_tile={self.max_tile} is too small", limit="the limit is 8", fix="use >= 8"
            )


def options(matmul: Matmul = "bfp28", max_tile: int | None = None, *, fuse: bool = True) -> Options:
    """Make the frozen Options passed as `options=` to `spindle.jit` and `spindle.compile`.

    >>> options(matmul="float32").matmul
    'float32'
    """
    return Options(matmul=matmul, max_tile=max_tile, fuse=fuse)
