"""The list of passes, in order, and the one function that runs it.

In: a Module as frontends/ made it. Out: a Module for schedule/: verified fusions and moves of
data, numerics fixed, values numbered. Every pass keeps every bit of every result.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from spindle.ir.graph import Module
from spindle.ir.text import number
from spindle.ir.verify import verify, verify_lowered
from spindle.options import Options
from spindle.passes.canonical_reduce import canonical_reduce
from spindle.passes.fix_numerics import fix_numerics
from spindle.passes.fold_transpose import fold_transpose
from spindle.passes.fuse import fuse
from spindle.passes.integer_dot import integer_dot
from spindle.passes.lower_convolution import lower_convolution
from spindle.passes.lower_reverse import lower_reverse
from spindle.passes.simplify import simplify
from spindle.passes.squeeze import squeeze

Pass = Callable[[Module, Options], Module]

PASSES: tuple[tuple[str, Pass], ...] = (
    ("simplify", simplify),
    ("fix_numerics", fix_numerics),
    ("lower_convolution", lower_convolution),
    ("lower_reverse", lower_reverse),
    ("integer_dot", integer_dot),
    ("fold_transpose", fold_transpose),
    ("canonical_reduce", canonical_reduce),
    ("squeeze", squeeze),
    ("simplify_again", simplify),
    ("fuse", fuse),
)


def run(
    module: Module,
    options: Options,
    *,
    dump: Callable[[str, Module], None] | None = None,
    timings: dict[str, float] | None = None,
) -> Module:
    """Run every pass and check each result.

    dump: called with "ingest" and each pass's name and the Module after it.
    timings: gets {pass name: seconds}, checks not counted.
    Raises InternalError where a pass breaks a rule of docs/spec/module.md.
    """
    verify(module)
    if dump:
        dump("ingest", number(module))
    for name, apply in PASSES:
        start = time.perf_counter()
        module = number(apply(module, options))
        if timings is not None:
            timings[name] = time.perf_counter() - start
        verify(module)
        if dump:
            dump(name, module)
    verify_lowered(module)
    return module
