"""The public API: jit, compile, load, device_put.

In: JAX functions or StableHLO. Out: callables on Arrays. JAX and jaxlib are imported by the first
call that needs them, so that `import spindle` is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from spindle.compile import compile_module
from spindle.compiled import Compiled
from spindle.errors import UserError
from spindle.image.image import Image
from spindle.machines.machine import Machine
from spindle.options import Options
from spindle.session import machine_or_default

if TYPE_CHECKING:
    from spindle.jitted import Jitted


def jit(
    fn: Callable[..., Any],
    donate_argnums: int | Sequence[int] = (),
    static_argnums: int | Sequence[int] = (),
    options: Options | None = None,
    machine: Machine | None = None,
) -> Jitted:
    """Compile a JAX function for a machine at its first call; use it like jax.jit.

    Arguments and results are pytrees; results hold spindle.Array, which stay on the machine.
    donate_argnums: arguments whose memory the results may take; they cannot be used afterwards.
    static_argnums: hashable arguments that are constants of the program.
    machine: where to run; None takes the one opened last, or opens "native".
    Raises UserError at the call where the program or its arguments cannot be done.
    """
    from spindle.jitted import Jitted

    if not callable(fn):
        raise UserError(f"jit needs a function, not a {type(fn).__name__}")
    numbers = _numbers(donate_argnums), _numbers(static_argnums)
    return Jitted(fn, *numbers, _checked(options), machine)


def _numbers(argnums: int | Sequence[int]) -> tuple[int, ...]:
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def compile(
    stablehlo: str | bytes, options: Options | None = None, machine: Machine | None = None
) -> Compiled:
    """Compile a StableHLO program (text or portable artifact) into a callable on flat arrays.

    No machine is needed before the first call. Raises UserError where it cannot be read,
    UnsupportedError naming op and source line where it uses what Spindle does not compile.
    """
    from spindle.frontends.ingest import ingest

    image = compile_module(ingest(stablehlo), _checked(options))
    return Compiled(image, machine)


def load(path: str | PathLike[str], machine: Machine | None = None) -> Compiled:
    """Read a program that `Compiled.save` wrote. Raises UserError where the file is damaged."""
    return Compiled(Image.load(path), machine)


def device_put(tree: Any, machine: Machine | None = None) -> Any:
    """Move every leaf of a pytree to the machine; types are those JAX would give.

    Typed PRNG keys stay as they are (a key moves with each call: 8 bytes).
    """
    from jax.tree_util import tree_map

    from spindle.jitted import put_leaf

    place = machine_or_default(machine)
    return tree_map(lambda leaf: put_leaf(leaf, place), tree)


def _checked(options: Options | None) -> Options:
    """Return the Options given, or the default ones; anything else is a UserError."""
    if options is None:
        return Options()
    if not isinstance(options, Options):
        raise UserError(
            f"options={options!r} is a {type(options).__name__}",
            fix="pass spindle.options(matmul=..., max_tile=...)",
        )
    return options
