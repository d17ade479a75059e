"""Jitted: what spindle.jit returns; one Image per kind of arguments, as jax.jit keeps them.

In: calls with pytrees of arrays, numbers and PRNG keys. Out: pytrees of spindle.Array. tracing.py
talks to JAX, compile.py makes Images, launch.py runs them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from spindle import tracing
from spindle.array import Array, NDArray
from spindle.compile import compile_module
from spindle.errors import UserError
from spindle.image.image import Image
from spindle.ir.graph import DTYPES, TensorType
from spindle.launch import Executable, launch, load_image, put
from spindle.machines.machine import Machine
from spindle.options import Options
from spindle.session import machine_or_default

DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class _Entry:
    """One compiled signature."""

    executable: Executable
    traced: tracing.Traced


@dataclass(frozen=True)
class _Signature:
    """What decides which program a call needs, but for the machine."""

    tree: Any
    avals: tuple[Any, ...]
    static: tuple[tuple[str, type, Any], ...]


class Jitted:
    """A function compiled at its first call for each kind of arguments."""

    def __init__(
        self,
        fn: Callable[..., Any],
        donate: tuple[int, ...],
        static: tuple[int, ...],
        options: Options,
        machine: Machine | None,
    ) -> None:
        self.name = getattr(fn, "__name__", type(fn).__name__)
        self._static, self._machine, self._options = static, machine, options
        self._names = tracing.parameter_names(fn)
        self._jitted = jax.jit(fn, donate_argnums=donate, static_argnums=static, keep_unused=True)
        self._entries: dict[Any, _Entry] = {}
        self._last: _Signature | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        static = self._static_names(len(args))
        dynamic = {i: arg for i, arg in enumerate(args) if i not in static}
        named = {name: arg for name, arg in kwargs.items() if name not in static.values()}
        leaves, tree = jax.tree_util.tree_flatten((tuple(dynamic.values()), named))
        if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            return self._jitted(*args, **kwargs)
        try:
            avals = tuple(map(tracing.abstract, leaves))
        except TypeError as error:
            paths = tracing.leaf_paths(self._names, dynamic, named)
            raise tracing.not_an_array(leaves, paths, self.name) from error
        signature = _Signature(tree, avals, _fixed(static, args, kwargs))
        return self._launch(self._entry(signature, args, kwargs), leaves, avals)

    def images(self) -> tuple[Image, ...]:
        """Return the Images compiled so far, one for each kind of arguments, oldest first."""
        return tuple(entry.executable.image for entry in self._entries.values())

    def _launch(self, entry: _Entry, leaves: list[Any], avals: tuple[Any, ...]) -> Any:
        host = [tracing.to_host(leaf, aval) for leaf, aval in zip(leaves, avals, strict=True)]
        outs = zip(launch(entry.executable, host), entry.traced.outs, strict=True)
        results = [tracing.to_result(array, out) for array, out in outs]
        return jax.tree_util.tree_unflatten(entry.traced.out_tree, results)

    def _static_names(self, n_args: int) -> dict[int, str]:
        """Return {position: name} of the static arguments; negative ones count from the end."""
        positions = (i if i >= 0 else n_args + i for i in self._static)
        return {i: self._names[i] for i in positions}

    def _entry(self, signature: _Signature, args: Any, kwargs: Any) -> _Entry:
        """Return the compiled program for this signature, compiling where there is none."""
        machine = machine_or_default(self._machine)
        try:
            found = self._entries.get((signature, machine))
        except TypeError as error:
            raise UserError(
                f"a static argument of {self.name} cannot be a key of the cache ({error})",
                fix="pass numbers, strings or tuples as static arguments",
            ) from error
        if found is None:
            found = self._compile(signature, args, kwargs, machine)
            self._entries[signature, machine] = found
        self._last = signature
        return found

    def _compile(self, signature: _Signature, args: Any, kwargs: Any, machine: Machine) -> _Entry:
        structs = [tracing.as_struct(aval) for aval in signature.avals]
        dynamic, named = jax.tree_util.tree_unflatten(signature.tree, structs)
        static, rest = self._static_names(len(args)), iter(dynamic)
        args = {i: arg if i in static else next(rest) for i, arg in enumerate(args)}
        shown = {i: arg for i, arg in args.items() if i not in static}
        paths = tracing.leaf_paths(self._names, shown, named)
        if self._last is not None:
            change = _change(self._last, signature, paths)
            print(f"spindle: compiled {self.name} again for {change}", file=sys.stderr)
        traced = tracing.trace(self._jitted, list(args.values()), {**kwargs, **named}, paths)
        image = compile_module(traced.module, self._options)
        return _Entry(load_image(self.name, image, machine), traced)


def _fixed(static: dict[int, str], args: Any, kwargs: Any) -> tuple[tuple[str, type, Any], ...]:
    """Return (name, type, value) of the static arguments given, by position or by name."""
    by_position = ((name, args[i]) for i, name in sorted(static.items()) if i < len(args))
    by_name = ((name, kwargs[name]) for name in static.values() if name in kwargs)
    given = (*by_position, *by_name)
    return tuple((name, type(value), value) for name, value in given)


def _change(old: _Signature, new: _Signature, paths: tuple[str, ...]) -> str:
    """Say in words what made a second compilation necessary."""
    if old.static != new.static:
        changed = (item for item in new.static if item not in old.static)
        pairs = (f"{name}={value!r}" for name, _, value in changed)
        return ", ".join(pairs) or "other static arguments"
    if old.tree != new.tree:
        return "arguments of another structure"
    for path, was, now in zip(paths, old.avals, new.avals, strict=True):
        if was != now:
            return _change_of_leaf(path, was, now)
    return "another machine"


def _change_of_leaf(path: str, was: Any, now: Any) -> str:
    same_rest = was.dtype == now.dtype and was.shape[1:] == now.shape[1:]
    if same_rest and len(was.shape) == len(now.shape) and was.shape != now.shape:
        return f"batch {now.shape[0]} (was {was.shape[0]})"
    return f"{path} {now.str_short()} (was {was.str_short()})"


def put_leaf(leaf: Any, machine: Machine) -> Any:
    """Move one leaf to the machine, cast as JAX does; Arrays and PRNG keys stay as they are."""
    if isinstance(leaf, Array) or tracing.is_key(getattr(leaf, "dtype", np.float32)):
        return leaf
    try:
        aval = tracing.abstract(leaf)
    except TypeError as error:
        raise tracing.not_an_array([leaf], ["tree"], "device_put") from error
    host: NDArray = tracing.to_host(leaf, aval)
    if host.dtype not in DTYPE_NAMES:
        raise UserError(
            f"device_put of {host.dtype}{list(host.shape)}",
            limit=f"arrays on the machine are {', '.join(sorted(map(str, DTYPE_NAMES)))}",
            fix="cast it first",
        )
    array = put(host, TensorType(host.shape, DTYPE_NAMES[host.dtype]), machine)
    array.weak_type = bool(aval.weak_type)
    return array
