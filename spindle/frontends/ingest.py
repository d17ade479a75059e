"""Ingest: a StableHLO program becomes a Module (docs/spec/module.md), or a UserError says why not.

In: text or a portable artifact, as JAX, TensorFlow or torch-mlir make it. Out: ir.graph.Module of
one device. jaxlib_adapter.py reads, this file walks the ops, ingest_ops.py has the rule of each,
loops.py handles `while`, branches.py `case` and `if`, narrow.py 64-bit integers.
"""

from __future__ import annotations

import contextlib

import numpy as np

from spindle.errors import UnsupportedError, UserError
from spindle.frontends.branches import convert_case
from spindle.frontends.ingest_ops import apply_rule
from spindle.frontends.jaxlib_adapter import RawOp, RawProgram, parse
from spindle.frontends.loops import convert_while
from spindle.frontends.narrow import is_wide, narrow, widened
from spindle.frontends.scope import Scope, tensor_type
from spindle.ir.graph import Module, Region, Value


def ingest(
    stablehlo: str | bytes,
    *,
    param_names: tuple[str, ...] = (),
    result_names: tuple[str, ...] = (),
) -> Module:
    """Turn a StableHLO program into a Module.

    stablehlo: text, MLIR bytecode, or a portable (VHLO) artifact with a function `main`.
    param_names, result_names: paths for messages; () takes them from the program.
    Raises UserError where it cannot be read, UnsupportedError naming op, type and source line
    where it uses what Spindle does not compile.
    """
    program = parse(stablehlo)
    _check_one_device(program)
    scope = Scope(program.types)
    names = param_names or program.param_names
    params = _params(scope, program, names)
    _convert_ops(scope, program.body.ops)
    returns = tuple(_returned(scope, number) for number in program.body.returns)
    body = Region(params, tuple(scope.ops), returns)
    donated = _donated(program, body)
    return Module(program.name, body, donated, names, result_names or program.result_names)


def _check_one_device(program: RawProgram) -> None:
    if program.n_partitions != 1:
        raise UnsupportedError(
            f"the program is for {program.n_partitions} devices",
            limit="one chip runs one device's program",
            fix="jit it without a mesh of several devices",
        )


def _params(scope: Scope, program: RawProgram, names: tuple[str, ...]) -> tuple[Value, ...]:
    if len(names) != len(program.body.params):
        raise UserError(
            f"{len(names)} param_names for {len(program.body.params)} parameters",
            fix="give one name per parameter, or none",
        )
    for index, number in enumerate(program.body.params):
        what = f"argument {names[index] or index} is"
        scope.values[number] = Value(tensor_type(program.types[number], what, program.name))
    return tuple(scope.values[number] for number in program.body.params)


def _convert_ops(scope: Scope, ops: tuple[RawOp, ...]) -> None:
    for raw in ops:
        if raw.name == "stablehlo.while":
            convert_while(scope, raw, _convert_ops)
        elif raw.name in ("stablehlo.case", "stablehlo.if"):
            convert_case(scope, raw, _convert_ops)
        elif raw.name == "stablehlo.optimization_barrier":
            scope.values.update(zip(raw.results, scope.operands(raw), strict=True))
        elif raw.name == "stablehlo.constant":
            _convert_constant(scope, raw)
        else:
            scope.values.update(zip(raw.results, _convert_op(scope, raw), strict=True))


def _convert_constant(scope: Scope, raw: RawOp) -> None:
    """Convert a constant; one that cannot be is refused where it is used, or converted there.

    Passes move constants to the front and make them lose their line; their users have one.
    """
    data = raw.attrs["value"]
    if isinstance(data, np.ndarray) and data.dtype == np.float64:
        scope.doubles[raw.results[0]] = data
    with contextlib.suppress(UnsupportedError):
        (scope.values[raw.results[0]],) = _convert_op(scope, raw)


def _convert_op(scope: Scope, raw: RawOp) -> tuple[Value, ...]:
    if not is_wide(scope, raw):
        return apply_rule(scope, raw)
    value = narrow(scope, raw)
    return apply_rule(widened(scope, raw), raw) if value is None else (value,)


def _returned(scope: Scope, number: int) -> Value:
    tensor_type(scope.types[number], "the program returns", "")
    scope.checked(number, "the program returns", "")
    return scope.lifted(number, "")


def _donated(program: RawProgram, body: Region) -> dict[int, int]:
    """Pair results with donated parameters: as the program says, else first fit by type."""
    donated = dict(program.aliases)
    for param in program.donors:
        free = (i for i in range(len(body.returns)) if i not in donated)
        fits = (i for i in free if body.returns[i].type == body.params[param].type)
        result = next(fits, None)
        if result is not None:
            donated[result] = param
    return donated
