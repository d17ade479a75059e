"""Run JAX functions through the whole compiler on native machines, beside the evaluator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from spindle.compile import compile_module
from spindle.frontends.ingest import ingest
from spindle.image.image import Image
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import Module
from spindle.launch import launch, load_image
from spindle.machines.native import NativeMachine
from spindle.options import Options

CORES = (1, 7, 15, 16, 17)
TILES = (None, 8, 24)


def module_of(fn: Callable[..., Any], args: Sequence[Any]) -> Module:
    """Trace a function and ingest it, as spindle.jit does."""
    lowered = jax.jit(fn, keep_unused=True).trace(*args).lower(lowering_platforms=("spinnaker",))
    return ingest(lowered.as_text())


def run_image(image: Image, args: Sequence[Any], machine: NativeMachine) -> list[np.ndarray]:
    """Load, run once, read all results."""
    executable = load_image("test", image, machine)
    return [np.asarray(array) for array in launch(executable, [np.asarray(a) for a in args])]


@contextmanager
def native(cores: int = 16, dma_mode: int = 0) -> Iterator[NativeMachine]:
    """Open a machine and close it."""
    machine = NativeMachine(n_cores=cores, dma_mode=dma_mode)
    try:
        yield machine
    finally:
        machine.close()


def words(array: np.ndarray) -> np.ndarray:
    """Bits of an array, as unsigned integers of the elements' own width."""
    array = np.ascontiguousarray(array)
    return array.view(f"u{array.dtype.itemsize}")


def assert_same_bits(got: Sequence[np.ndarray], want: Sequence[np.ndarray]) -> None:
    """Every result equal to the last bit."""
    assert len(got) == len(want)
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        assert a.shape == b.shape and a.dtype == b.dtype
        bad = np.flatnonzero(words(a).reshape(-1) != words(b).reshape(-1))
        assert bad.size == 0, f"result {i}: {bad.size} of {a.size} differ, first at {bad[:4]}"


def check(
    fn: Callable[..., Any],
    args: Sequence[Any],
    *,
    cores: Sequence[int] = CORES,
    tiles: Sequence[int | None] = TILES,
    options: Options | None = None,
) -> list[np.ndarray]:
    """Evaluator == native on all cores, tile limits and both DMA modes; returns the results."""
    options = options or Options()
    module = module_of(fn, args)
    leaves = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(args)]
    want = evaluate(module, leaves, options)
    for tile in tiles:
        limited = Options(matmul=options.matmul, max_tile=tile, fuse=options.fuse)
        image = compile_module(module, limited)
        for i, n in enumerate(cores):
            with native(n, dma_mode=i % 2) as machine:
                assert_same_bits(run_image(image, leaves, machine), want)
    return want
