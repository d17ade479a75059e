"""The only module that imports jaxlib.mlir: StableHLO in, plain Python data out.

In: StableHLO text or a portable (VHLO) artifact. Out: a RawProgram: one function `main` without
calls, chlo, composites or sharding marks, cleaned by MLIR's canonicalize and cse; values are
numbered, attributes are plain Python. ingest.py makes the Module of it and judges what is allowed.
Everything here follows jaxlib's private-ish Python API, so that a change there touches one file.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxlib.mlir import ir, passmanager
from jaxlib.mlir._mlir_libs import _jax_mlir_ext
from jaxlib.mlir.dialects import chlo, mhlo, sdy, stablehlo

from spindle.errors import UserError
from spindle.frontends.dense_text import bf16_array
from spindle.frontends.locations import user_frame

EXPAND = (
    "func.func(chlo-legalize-to-stablehlo)",
    "func.func(stablehlo-legalize-composite-to-call)",
)
CLEAN = ("canonicalize", "cse")
KEPT = ("chlo.erf", "chlo.erfc")
"""Ops that EXPAND would write as polynomials of its own: docs/spec/functions.md has better ones."""
ARTIFACT_MAGIC = b"ML\xefR"


@dataclass(frozen=True)
class RawType:
    """Shape (None: an axis without a number) and MLIR's element type name: "f32", "ui64"."""

    shape: tuple[int | None, ...]
    dtype: str

    def __str__(self) -> str:
        axes = "".join("?x" if extent is None else f"{extent}x" for extent in self.shape)
        return f"tensor<{axes}{self.dtype}>"


@dataclass(frozen=True)
class RawOp:
    """One op: `name` with its dialect, operands and results as value numbers, `loc` as in Op."""

    name: str
    operands: tuple[int, ...]
    results: tuple[int, ...]
    attrs: dict[str, Any]
    regions: tuple[RawRegion, ...]
    loc: str


@dataclass(frozen=True)
class RawRegion:
    """Block arguments, ops, and the operands of the terminator."""

    params: tuple[int, ...]
    ops: tuple[RawOp, ...]
    returns: tuple[int, ...]


@dataclass
class RawProgram:
    """`main` of a StableHLO module. types: {value number: RawType}; donated: {result: param}."""

    name: str
    n_partitions: int
    types: dict[int, RawType] = field(default_factory=dict)
    body: RawRegion = field(default_factory=lambda: RawRegion((), (), ()))
    param_names: tuple[str, ...] = ()
    result_names: tuple[str, ...] = ()
    aliases: dict[int, int] = field(default_factory=dict)
    donors: tuple[int, ...] = ()


def parse(program: str | bytes) -> RawProgram:
    """Read StableHLO text, MLIR bytecode or a portable artifact and bring it to one plain `main`.

    Raises UserError where jaxlib cannot parse it or it has no `main`.
    """
    with _context() as ctx:
        module = _parse_module(program, ctx)
        main = _main(module)
        _keep(module)
        _run_passes(module, EXPAND)
        _drop_sharding(module)
        _inline_calls(module)
        _run_passes(module, CLEAN)
        return _read_program(module, main)


@functools.cache
def _context() -> Any:
    """Make the one MLIR context with every dialect JAX may emit."""
    ctx = ir.Context()
    registry = ir.DialectRegistry()
    _jax_mlir_ext.register_dialects(registry)
    ctx.append_dialect_registry(registry)
    ctx.load_all_available_dialects()
    sdy.register_dialect(ctx)
    mhlo.register_mhlo_dialect(ctx)
    chlo.register_dialect(ctx)
    stablehlo.register_dialect(ctx)
    stablehlo.register_stablehlo_passes()
    return ctx


def _parse_module(program: str | bytes, ctx: Any) -> Any:
    try:
        if isinstance(program, bytes) and b"StableHLO_v" in program[:64]:
            return stablehlo.deserialize_portable_artifact(ctx, program)
        if isinstance(program, bytes) and not program.startswith(ARTIFACT_MAGIC):
            program = program.decode()
        return ir.Module.parse(program)
    except (ir.MLIRError, ValueError, RuntimeError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = next((line for line in lines if line.startswith("error")), lines[-1])
        raise UserError(
            f"this is not StableHLO that jaxlib can read ({reason})",
            fix="pass the text of jax.jit(f).lower(...).as_text() or a portable artifact",
        ) from error


def _main(module: Any) -> Any:
    functions = _functions(module)
    if "main" not in functions:
        raise UserError(
            "the StableHLO module has no function 'main'", fix="name the entry function 'main'"
        )
    return functions["main"]


def _functions(module: Any) -> dict[str, Any]:
    found = [op.operation for op in module.body.operations if op.operation.name == "func.func"]
    return {op.attributes["sym_name"].value: op for op in found}


def _run_passes(module: Any, passes: tuple[str, ...]) -> None:
    pipeline = f"builtin.module({','.join(passes)})"
    passmanager.PassManager.parse(pipeline).run(module.operation)


def _keep(module: Any) -> None:
    """Hide the KEPT ops from the passes, as calls of their own names."""
    for op in list(_walk(module.operation)):
        if op.name in KEPT:
            attributes = {"call_target_name": ir.StringAttr.get(op.name)}
            call = ir.Operation.create(
                "stablehlo.custom_call",
                results=[op.results[0].type],
                operands=list(op.operands),
                attributes=attributes,
                loc=op.location,
                ip=ir.InsertionPoint(op),
            )
            op.results[0].replace_all_uses_with(call.results[0])
            op.erase()


def _walk(op: Any) -> Iterator[Any]:
    """Yield op and all inside it; the list is taken first, so the caller may erase."""
    yield op
    for region in op.regions:
        for block in region.blocks:
            for inner in list(block.operations):
                yield from _walk(inner.operation)


def _drop_sharding(module: Any) -> None:
    """Replace sharding marks by their operand: they say nothing on one device."""
    for op in list(_walk(module.operation)):
        if _is_sharding_mark(op):
            op.results[0].replace_all_uses_with(op.operands[0])
            op.erase()


def _is_sharding_mark(op: Any) -> bool:
    if op.name == "stablehlo.custom_call":
        return op.attributes["call_target_name"].value in ("Sharding", "annotate_device_placement")
    return bool(op.name == "sdy.sharding_constraint")


def _inline_calls(module: Any) -> None:
    """Put every called function's body in place of its call (jaxlib's `inline` does nothing)."""
    functions = _functions(module)
    frames = _call_frames(module)
    done: set[str] = set()
    _inline_into("main", functions, frames, done, ())
    for name, function in functions.items():
        if name != "main":
            function.erase()


def _call_frames(module: Any) -> dict[str, set[str]]:
    """Collect from which user lines each function is called: {function: {frame, ...}}."""
    frames: dict[str, set[str]] = {}
    for op in _walk(module.operation):
        if op.name == "func.call":
            callee = op.attributes["callee"].value
            frames.setdefault(callee, {""}).add(user_frame(str(op.location)))
    return frames


def _inline_into(
    name: str,
    functions: dict[str, Any],
    frames: dict[str, set[str]],
    done: set[str],
    path: tuple[str, ...],
) -> None:
    """Inline all calls of one function, callees first, so that each body is copied complete."""
    if name in path:
        raise UserError(f"function '{name}' calls itself", fix="recursion cannot be compiled")
    if name in done:
        return
    for op in list(_walk(functions[name])):
        if op.name == "func.call":
            callee = op.attributes["callee"].value
            _inline_into(callee, functions, frames, done, (*path, name))
            _inline_call(op, functions[callee], frames[callee])
    done.add(name)


def _inline_call(call: Any, callee: Any, frames: set[str]) -> None:
    block = callee.regions[0].blocks[0]
    copies = dict(zip(block.arguments, call.operands, strict=True))
    *body, terminator = block.operations
    point = ir.InsertionPoint(call)
    for op in body:
        copy = op.operation.clone(point)
        copies.update(zip(op.operation.results, copy.results, strict=True))
        _rewire(copy, copies)
        _relocate(copy, call, frames)
    for result, value in zip(call.results, terminator.operands, strict=True):
        result.replace_all_uses_with(copies[value])
    call.erase()


def _rewire(op: Any, copies: dict[Any, Any]) -> None:
    """Let a cloned op, and ops in its regions, use the copies instead of the callee's values."""
    for inner in _walk(op):
        for index, operand in enumerate(inner.operands):
            if operand in copies:
                inner.operands[index] = copies[operand]


def _relocate(op: Any, call: Any, frames: set[str]) -> None:
    """Give ops of a library function the line of this call.

    JAX lowers `relu` once, with the line of its first call in every op; ops whose own line is one
    of the call lines belong to such a function.
    """
    for inner in _walk(op):
        if user_frame(str(inner.location)) in frames:
            inner.location = call.location


def _read_program(module: Any, main: Any) -> RawProgram:
    attributes = module.operation.attributes
    partitions = (
        attributes["mhlo.num_partitions"].value if "mhlo.num_partitions" in attributes else 1
    )
    name = attributes["sym_name"].value if "sym_name" in attributes else "main"
    program = RawProgram(name.removeprefix("jit_"), partitions)
    block = main.regions[0].blocks[0]
    program.param_names = tuple(_argument_name(argument) for argument in block.arguments)
    _read_signature(program, main)
    program.body = _Reader(program.types).region(main.regions[0])
    return program


def _argument_name(argument: Any) -> str:
    """Return NAME of loc("NAME"), as JAX writes the path of an argument; "" otherwise."""
    text = str(argument.location)
    name = text.removeprefix('loc("').removesuffix('")')
    return name if len(name) == len(text) - 7 and '"' not in name else ""


def _read_signature(program: RawProgram, main: Any) -> None:
    params = list(main.attributes["arg_attrs"]) if "arg_attrs" in main.attributes else []
    results = list(main.attributes["res_attrs"]) if "res_attrs" in main.attributes else []
    alias = "tf.aliasing_output"
    program.aliases = {a[alias].value: i for i, a in enumerate(params) if alias in a}
    program.donors = tuple(i for i, a in enumerate(params) if "jax.buffer_donor" in a)
    info = "jax.result_info"
    program.result_names = tuple(a[info].value if info in a else "" for a in results)


class _Reader:
    """Numbers values and copies ops out of MLIR."""

    def __init__(self, types: dict[int, RawType]) -> None:
        self.types = types
        self.numbers: dict[Any, int] = {}

    def region(self, region: Any) -> RawRegion:
        block = region.blocks[0]
        params = tuple(self.define(argument) for argument in block.arguments)
        *body, terminator = block.operations
        ops = tuple(self.op(op.operation) for op in body)
        return RawRegion(params, ops, self.uses(terminator.operation))

    def op(self, op: Any) -> RawOp:
        operands = self.uses(op)
        regions = tuple(self.region(region) for region in op.regions if len(region.blocks))
        results = tuple(self.define(result) for result in op.results)
        loc, attributes = user_frame(str(op.location)), _attributes(op)
        target = attributes.get("call_target_name")
        name = target if target in KEPT else op.name
        return RawOp(name, operands, results, attributes, regions, loc)

    def uses(self, op: Any) -> tuple[int, ...]:
        return tuple(self.numbers[operand] for operand in op.operands)

    def define(self, value: Any) -> int:
        number = self.numbers[value] = len(self.numbers)
        self.types[number] = _raw_type(value.type)
        return number


def _raw_type(mlir_type: Any) -> RawType:
    if not isinstance(mlir_type, ir.RankedTensorType):
        return RawType((), str(mlir_type))
    axes = range(mlir_type.rank)
    shape = (None if mlir_type.is_dynamic_dim(i) else mlir_type.get_dim_size(i) for i in axes)
    return RawType(tuple(shape), str(mlir_type.element_type))


def _attributes(op: Any) -> dict[str, Any]:
    return {name: _attribute(op, name) for name in _attribute_names(op)}


def _attribute_names(op: Any) -> list[str]:
    return [item if isinstance(item, str) else item.name for item in op.attributes]


def _attribute(op: Any, name: str) -> Any:
    """Read one attribute; None where jaxlib has no Python form (complex constants)."""
    try:
        return _plain(op.attributes[name])
    except (TypeError, ValueError):
        return None


DOT_FIELDS = {
    "lhs_batch": "lhs_batching_dimensions",
    "rhs_batch": "rhs_batching_dimensions",
    "lhs_contract": "lhs_contracting_dimensions",
    "rhs_contract": "rhs_contracting_dimensions",
}
GATHER_FIELDS = {
    "window": "offset_dims",
    "dropped": "collapsed_slice_dims",
    "batch": "operand_batching_dims",
    "index_batch": "start_indices_batching_dims",
    "axes": "start_index_map",
}
SCATTER_FIELDS = {
    "window": "update_window_dims",
    "dropped": "inserted_window_dims",
    "batch": "input_batching_dims",
    "index_batch": "scatter_indices_batching_dims",
    "axes": "scattered_dims_to_operand_dims",
}
CONV_FIELDS = {
    "lhs_axes": ("input_batch", "input_feature", "input_spatial"),
    "rhs_axes": ("kernel_output_feature", "kernel_input_feature", "kernel_spatial"),
    "out_axes": ("output_batch", "output_feature", "output_spatial"),
}
ALGORITHM_FIELDS = (
    "lhs_precision_type",
    "rhs_precision_type",
    "accumulation_type",
    "lhs_component_count",
    "rhs_component_count",
    "num_primitive_operations",
)


def _plain(attribute: Any) -> Any:
    """Turn an MLIR attribute into Python: numbers, strings, tuples, dicts, ndarrays."""
    if isinstance(attribute, ir.DenseIntElementsAttr | ir.DenseFPElementsAttr):
        text = "bf16" in str(attribute.type)
        return bf16_array(str(attribute)) if text else np.array(attribute)
    if isinstance(attribute, ir.DenseI64ArrayAttr | ir.DenseBoolArrayAttr):
        return tuple(attribute)
    if isinstance(attribute, ir.ArrayAttr):
        return tuple(_plain(item) for item in attribute)
    if str(attribute).startswith("#stablehlo"):
        return _plain_stablehlo(attribute)
    return getattr(attribute, "value", str(attribute))


def _plain_stablehlo(attribute: Any) -> Any:
    kind = str(attribute)[len("#stablehlo") :]
    if kind.startswith(".dot<"):
        dims = stablehlo.DotDimensionNumbers(attribute)
        return {key: tuple(getattr(dims, name)) for key, name in DOT_FIELDS.items()}
    if kind.startswith(".gather<"):
        return _indexing(stablehlo.GatherDimensionNumbers(attribute), GATHER_FIELDS)
    if kind.startswith(".scatter<"):
        return _indexing(stablehlo.ScatterDimensionNumbers(attribute), SCATTER_FIELDS)
    if kind.startswith(".conv<"):
        return _conv_axes(stablehlo.ConvDimensionNumbers(attribute))
    if kind.startswith(".dot_algorithm<"):
        algorithm = stablehlo.DotAlgorithm(attribute)
        return tuple(str(getattr(algorithm, name)) for name in ALGORITHM_FIELDS)
    found = re.fullmatch(r"<\w+ (\w+)>", kind)
    return found[1] if found else str(attribute)


def _indexing(numbers: Any, fields: dict[str, str]) -> dict[str, Any]:
    """Give the dimension numbers of gather and scatter the same names."""
    axes = {key: tuple(getattr(numbers, name)) for key, name in fields.items()}
    return {**axes, "vector": numbers.index_vector_dim}


def _conv_axes(dims: Any) -> dict[str, tuple[int, ...]]:
    """Read dimension numbers as (batch or output, feature, spatial ...) per tensor."""
    return {
        key: (
            getattr(dims, f"{first}_dimension"),
            getattr(dims, f"{second}_dimension"),
            *getattr(dims, f"{spatial}_dimensions"),
        )
        for key, (first, second, spatial) in CONV_FIELDS.items()
    }
