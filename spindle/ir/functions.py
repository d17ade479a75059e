"""Elementary functions on float32 bit patterns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def _lift(function: Callable[..., Array]) -> Callable[..., Array]:
    def apply(*bits: Array) -> Array:
        with np.errstate(all="ignore"):
            y = function(*(b.view(np.float32).astype(np.float64) for b in bits)).astype(np.float32)
        out = np.asarray(y).view(np.uint32)
        return np.where(np.isnan(y), np.uint32(0x7FC00000), out)

    return apply


exponential = _lift(np.exp)
log = _lift(np.log)
power = _lift(np.power)
tanh = _lift(np.tanh)
logistic = _lift(lambda x: 1 / (1 + np.exp(-x)))
rsqrt = _lift(lambda x: 1 / np.sqrt(x))
exponential_minus_one = _lift(np.expm1)
log_plus_one = _lift(np.log1p)
