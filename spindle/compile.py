"""The joint of the stages: Module in, Image out. Nothing else imports two stages."""

from __future__ import annotations

from spindle.image.image import Image
from spindle.ir.graph import Module
from spindle.options import Options


def compile_module(module: Module, options: Options) -> Image:
    """Compile a Module for 16 lanes.

    Raises UserError (UnsupportedError, OutOfMemoryError) naming op and source line where the
    Module cannot be compiled.
    """
    from spindle.codegen.emit import emit
    from spindle.passes.pipeline import run
    from spindle.schedule.plan import plan

    return emit(plan(run(module, options), options))
