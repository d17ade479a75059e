"""Dynamic slices that are views: what reads them, what overwrites what they look into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from expand_tools import same_everywhere
from jax import lax
from native_tools import module_of

from spindle.options import Options
from spindle.passes.pipeline import run
from spindle.schedule.alias import Uses
from spindle.schedule.lower import VIEW_REGS

RNG = np.random.default_rng(5)
X = RNG.integers(-8, 9, (24, 6)).astype(np.float32)
AT = np.int32(7)


def rows(x: Any, at: Any, n: int = 4) -> Any:
    return lax.dynamic_slice(x, (at, 0), (n, x.shape[1]))


def many(x: Any, at: Any) -> Any:
    """More views than there are registers."""
    return [rows(x, at + i) * 2 for i in range(len(VIEW_REGS) + 2)]


def both_sides_of_a_dot(x: Any, at: Any) -> Any:
    return rows(x, at) @ rows(x, at).T, rows(x, at, 3).sum(0)


def overwritten(x: Any, at: Any) -> Any:
    """Each trip reads two rows, then changes one of them."""

    def trip(carry: Any, i: Any) -> Any:
        new = rows(carry, i, 2).sum(0, keepdims=True)
        return lax.dynamic_update_slice(carry, new, (i + 1, 0)), new.max()

    return lax.scan(trip, x, at + jnp.arange(5))


def counted_on(x: Any, at: Any) -> Any:
    """The start is a carried number that the body changes."""

    def trip(_: Any, carry: Any) -> Any:
        start, total = carry
        return start + 2, total + rows(x, start).sum(0)

    return lax.fori_loop(0, 4, trip, (at, jnp.zeros(6)))


def after_its_source_changed(x: Any, at: Any) -> Any:
    """The start depends on the new x, which takes no memory of the old one."""
    new = x * 2
    start = at + (new.sum() > 1e9).astype(jnp.int32)
    return new, rows(x, start) + rows(new, start)


def of_a_vector(x: Any, at: Any) -> Any:
    return lax.dynamic_slice(x[:, 0], (at,), (5,)) * 3


def returned(x: Any, at: Any) -> Any:
    return rows(x, at), rows(x, at).reshape(-1)


PROGRAMS: tuple[Callable[..., Any], ...] = (
    many,
    both_sides_of_a_dot,
    overwritten,
    counted_on,
    after_its_source_changed,
    of_a_vector,
    returned,
)


@pytest.mark.parametrize("fn", PROGRAMS, ids=lambda fn: fn.__name__)
@pytest.mark.parametrize("at", [-30, 7, 20, 21, 100])
def test_same_bits(fn: Callable[..., Any], at: int) -> None:
    same_everywhere(fn, (X, np.int32(at)), rtol=1e-6)


def uses(fn: Callable[..., Any]) -> Uses:
    return Uses(run(module_of(fn, (X, AT)), Options()).body)


def test_a_slice_of_rows_is_a_view() -> None:
    found = uses(lambda x, at: rows(x, at) * 2)
    assert len(found.views) == 1
    assert found.readers(found.region.params[0]) == found.readers(next(iter(found.views)).result)


@pytest.mark.parametrize(
    "fn",
    [
        rows,
        lambda x, at: lax.dynamic_slice(x, (0, at), (24, 2)) * 2,
        lambda x, at: lax.dynamic_slice(rows(x, at), (1, at), (2, 2)) * 2,
    ],
    ids=["returned", "columns", "sliced again"],
)
def test_no_view(fn: Callable[..., Any]) -> None:
    assert not uses(fn).views
