"""JAX at the door: a Python function and its arguments' types become a Module.

In: a function, abstract values of its arguments. Out: Traced (Module and how to rebuild results).
Also the only place that knows JAX's rules for types: weak types, x64 off, typed PRNG keys.
"""

from __future__ import annotations

import functools
import inspect
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.extend.core
import numpy as np

from spindle.array import Array
from spindle.errors import UnsupportedError, UserError
from spindle.frontends.ingest import ingest
from spindle.frontends.locations import traceback_frame
from spindle.ir.graph import DTYPES, Module, TensorType

PLATFORM = "spinnaker"


@dataclass(frozen=True)
class Traced:
    """A Module, the tree of its results, and what JAX says of each: shape, dtype, weak_type."""

    module: Module
    out_tree: Any
    outs: tuple[Any, ...]


def enable_donation() -> None:
    """Tell JAX that our platform takes donated arguments; without it the marks are left out."""
    from jax._src.interpreters import mlir

    platforms = getattr(mlir, "_platforms_with_donation", None)
    if isinstance(platforms, list) and PLATFORM not in platforms:
        platforms.append(PLATFORM)


def abstract(leaf: Any) -> Any:
    """Return JAX's ShapedArray of one argument leaf, as jax.jit would see it.

    Raises TypeError where it is no array, number or key.
    """
    if isinstance(leaf, Array):
        return _shaped(leaf.tensor, leaf.weak_type)
    return jax.api_util.shaped_abstractify(leaf)


@functools.lru_cache(4096)
def _shaped(tensor: TensorType, weak_type: bool) -> Any:
    return jax.core.ShapedArray(tensor.shape, DTYPES[tensor.dtype], weak_type=weak_type)


def not_an_array(leaves: Sequence[Any], paths: Sequence[str], function: str) -> UserError:
    """Make the error that names the first leaf which is no array."""
    bad = next(i for i, leaf in enumerate(leaves) if not _is_array(leaf))
    return UserError(
        f"argument {paths[bad]} of {function} is a {type(leaves[bad]).__name__}, not an array",
        fix="pass arrays and numbers, or name it in static_argnums",
    )


def _is_array(leaf: Any) -> bool:
    try:
        abstract(leaf)
    except TypeError:
        return False
    return True


def as_struct(aval: Any) -> Any:
    """Return what jax.jit can be traced with in place of a value."""
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype, weak_type=aval.weak_type)


def is_key(dtype: Any) -> bool:
    """Say whether a dtype is that of typed PRNG keys."""
    return bool(jax.numpy.issubdtype(dtype, jax.dtypes.prng_key))


def to_host(leaf: Any, aval: Any) -> Any:
    """Return a leaf as the launch takes it: an Array, or a host array cast as JAX does."""
    if isinstance(leaf, Array):
        return leaf
    if is_key(aval.dtype):
        return np.asarray(jax.random.key_data(leaf))
    return np.asarray(leaf).astype(aval.dtype)


def to_result(array: Array, out: Any) -> Any:
    """Return a result leaf: the Array, or a typed PRNG key made of it (read to the host)."""
    if is_key(out.dtype):
        data = jax.numpy.asarray(np.asarray(array))
        return jax.random.wrap_key_data(data, impl=out.dtype._impl.name)
    array.weak_type = bool(out.weak_type)
    return array


_REFUSED = re.compile(r'verifier errors:\n\s*(.*)\n\s*at loc\("[^"]*/(\w+)"')


def trace(
    jitted: Any, args: Sequence[Any], kwargs: dict[str, Any], names: tuple[str, ...]
) -> Traced:
    """Trace a jax.jit function on abstract arguments and ingest what it lowers to.

    names: path of each flat argument. Raises UnsupportedError for what cannot be compiled; errors
    of the user's own function pass through unchanged.
    """
    enable_donation()
    traced = jitted.trace(*args, **kwargs)
    module = ingest(_lower(traced), param_names=names)
    outs, out_tree = jax.tree_util.tree_flatten(traced.out_info)
    return Traced(module, out_tree, tuple(outs))


def _lower(traced: Any) -> bytes:
    try:
        lowered = traced.lower(lowering_platforms=(PLATFORM,))
    except (NotImplementedError, ValueError) as error:
        refused = _REFUSED.search(str(error))
        if refused is not None:
            raise _refused(traced, *refused.groups()) from error
        if PLATFORM not in str(error):
            raise
        raise _no_lowering(traced, str(error)) from error
    file = io.BytesIO()
    lowered.compiler_ir("stablehlo").operation.write_bytecode(file)
    return file.getvalue()


def _refused(traced: Any, reason: str, primitive: str) -> UnsupportedError:
    """Make the error of a primitive that JAX writes in a form StableHLO's verifier refuses."""
    where = _line_of(traced.jaxpr.jaxpr, primitive) or traced.fun_name
    fix = "use another form; of a dot's algorithms F32_F32_F32, or precision HIGHEST, HIGH, DEFAULT"
    return UnsupportedError(f"StableHLO has no such {primitive}: {reason}", where=where, fix=fix)


def _no_lowering(traced: Any, message: str) -> UnsupportedError:
    """Make the error of a primitive for which JAX has no StableHLO on our platform."""
    found = re.search(r"primitive '(\w+)'", message)
    name = found[1] if found else "pure_callback"
    what = (
        f"JAX's {name} has no StableHLO form" if found else "a Python callback cannot be compiled"
    )
    where = _line_of(traced.jaxpr.jaxpr, name) or traced.fun_name
    return UnsupportedError(what, where=where, fix="compute that part on the host")


def _line_of(jaxpr: Any, primitive: str) -> str | None:
    """Return the user's line of the first use of a primitive; None where it is not used.

    Equations inside JAX's own functions have no line: then the line of their call counts.
    """
    for equation in jaxpr.eqns:
        line = traceback_frame(str(equation.source_info.traceback))
        if equation.primitive.name == primitive:
            return line
        for inner in jax.extend.core.jaxprs_in_params(equation.params):
            inner_line = _line_of(inner, primitive)
            if inner_line is not None:
                return inner_line or line
    return None


@dataclass(frozen=True)
class ParameterNames:
    """A function's names of its positional parameters; `rest` is that of *args."""

    positional: tuple[str, ...]
    rest: str

    def __getitem__(self, index: int) -> str:
        if index < len(self.positional):
            return self.positional[index]
        return f"{self.rest}[{index - len(self.positional)}]"


def parameter_names(fn: Callable[..., Any]) -> ParameterNames:
    """Read the names from a function's signature; where it has none all are args[i]."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        return ParameterNames((), "args")
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
    return ParameterNames(tuple(p.name for p in parameters if p.kind in kinds), rest)


def leaf_paths(
    names: ParameterNames, args: dict[int, Any], kwargs: dict[str, Any]
) -> tuple[str, ...]:
    """Name every leaf as the user would write it: "params['w1']". args: {position: tree}."""
    found: list[str] = []
    for index, arg in args.items():
        found += _paths(names[index], arg)
    for name in sorted(kwargs):
        found += _paths(name, kwargs[name])
    return tuple(found)


def _paths(name: str, tree: Any) -> list[str]:
    paths, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [name + jax.tree_util.keystr(path) for path, _ in paths]
