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
from spindle.passes.expand_arg_reduce import expand_arg_reduce
from spindle.passes.expand_case import expand_case
from spindle.passes.expand_functions import expand_functions
from spindle.passes.expand_gather import expand_gather
from spindle.passes.expand_linear import expand_linear
from spindle.passes.expand_pad import expand_pad
from spindle.passes.expand_precision import expand_precision
from spindle.passes.expand_random import expand_random
from spindle.passes.expand_remainder import expand_remainder
from spindle.passes.expand_reverse import expand_reverse
from spindle.passes.expand_scatter import expand_scatter
from spindle.passes.expand_select_scatter import expand_select_scatter
from spindle.passes.expand_sort import expand_sort
from spindle.passes.expand_starts import expand_starts
from spindle.passes.expand_window import expand_window
from spindle.passes.fix_numerics import fix_numerics
from spindle.passes.fold_transpose import fold_transpose
from spindle.passes.fuse import fuse
from spindle.passes.hold_types import hold_types
from spindle.passes.integer_dot import integer_dot
from spindle.passes.lower_convolution import lower_convolution
from spindle.passes.simplify import simplify
from spindle.passes.spread_reduce import spread_reduce
from spindle.passes.squeeze import squeeze

Pass = Callable[[Module, Options], Module]

PASSES: tuple[tuple[str, Pass], ...] = (
    ("expand_random", expand_random),
    ("hold_types", hold_types),
    ("simplify", simplify),
    ("expand_case", expand_case),
    ("expand_linear", expand_linear),
    ("expand_precision", expand_precision),
    ("expand_arg_reduce", expand_arg_reduce),
    ("expand_window", expand_window),
    ("expand_select_scatter", expand_select_scatter),
    ("expand_sort", expand_sort),
    ("expand_gather", expand_gather),
    ("expand_scatter", expand_scatter),
    ("expand_reverse", expand_reverse),
    ("expand_pad", expand_pad),
    ("expand_functions", expand_functions),
    ("expand_remainder", expand_remainder),
    ("expand_starts", expand_starts),
    ("spread_reduce", spread_reduce),
    ("simplify_expanded", simplify),
    ("fix_numerics", fix_numerics),
    ("lower_convolution", lower_convolution),
    ("expand_reverse_of_windows", expand_reverse),
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
    """Run every pass and check each result; a pass that finds nothing returns its own Module.

    dump: called with "ingest" and each pass's name and the Module after it.
    timings: gets {pass name: seconds}, checks not counted.
    Raises InternalError where a pass breaks a rule of docs/spec/module.md.
    """
    verify(module)
    module = number(module)
    if dump:
        dump("ingest", module)
    for name, apply in PASSES:
        start = time.perf_counter()
        result = apply(module, options)
        changed = result is not module
        module = number(result) if changed else module
        if timings is not None:
            timings[name] = time.perf_counter() - start
        if changed:
            verify(module)
        if dump:
            dump(name, module)
    verify_lowered(module)
    return module
