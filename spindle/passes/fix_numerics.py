"""fix_numerics: write into every float dot, convolution and sum how it is computed.

In: a Module, Options. Out: the Module in which no bit depends on the Options any more. A precision
written in the program wins; options.matmul stands for DEFAULT only. Follows docs/numerics.md and
docs/spec/convolution.md.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.dot_modes import conv_numerics, dot_numerics
from spindle.ir.graph import ConvNumerics, DotNumerics, Module, Op, ReduceTree, Value
from spindle.ir.rewrite import Builder, rebuild_module
from spindle.options import Options

FLOAT_ORDERED = frozenset({"add", "multiply"})
"""Reducers whose float result depends on the order."""


def fix_numerics(module: Module, options: Options) -> Module:
    """Give f32 dots a DotNumerics, convolutions a ConvNumerics, sums and products a ReduceTree."""

    def visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
        numerics = _numerics(op, options)
        if numerics is None:
            return None
        builder.add(replace(op, attrs={**op.attrs, "numerics": numerics}))
        return op.results

    return rebuild_module(module, visit)


def _numerics(op: Op, options: Options) -> DotNumerics | ConvNumerics | ReduceTree | None:
    if op.attrs.get("numerics") is not None or not op.results or op.results[0].dtype != "f32":
        return None
    if op.kind == "dot_general":
        return dot_numerics(op, options)
    if op.kind == "convolution":
        return conv_numerics(op, options)
    if op.kind == "reduce" and op.attrs["reducer"] in FLOAT_ORDERED:
        return ReduceTree()
    return None
