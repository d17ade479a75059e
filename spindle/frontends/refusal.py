"""What a program hears that uses an op, or a form of one, that is not compiled.

In: a raw op. Out: UnsupportedError with op, source line and what to do instead.
"""

from __future__ import annotations

from spindle.errors import UnsupportedError
from spindle.frontends.jaxlib_adapter import RawOp, RawRegion

HINTS = {
    "dynamic_gather": "index with lax.dynamic_slice, or multiply by a one-hot matrix",
    "custom_call": "linear algebra, callbacks and debug.print stay on the host",
    "fft": "transform on the host",
    "complex": "compute with real and imaginary parts as two float32 arrays",
    "rng": "draw with jax.random, or with rng_bit_generator",
}
"""What to do instead, by op."""


def unsupported(raw: RawOp, detail: str = "", fix: str = "") -> UnsupportedError:
    """Make the error of an op, or of one form of it (`detail`), that is not compiled."""
    name = raw.name.removeprefix("stablehlo.")
    target = raw.attrs.get("call_target_name")
    what = f"{raw.name} @{target}" if target else raw.name
    return UnsupportedError(
        f"{what} {detail or 'is not compiled'}",
        where=raw.loc,
        limit="docs/limits.md lists the ops that are",
        fix=fix or HINTS.get(name, "write it with listed ops, or compute it on the host"),
    )


REDUCERS = ("add", "multiply", "maximum", "minimum", "and", "or", "xor")


def reducer_of(raw: RawOp, body: RawRegion) -> str:
    """Return the name of a reduction body that is one op of its two parameters."""
    if len(body.ops) == 1 and sorted(body.ops[0].operands) == sorted(body.params):
        name = body.ops[0].name.removeprefix("stablehlo.")
        if name in REDUCERS and body.returns == body.ops[0].results:
            return name
    raise unsupported(raw, "with this body is not compiled", "use sum, prod, max, min, all or any")
