"""The demo's net through the whole compiler: bits, gradients, weights, bytes, files."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from native_tools import CORES, TILES, assert_same_bits, module_of, native, run_image

import spindle
from spindle.compile import compile_module
from spindle.ir.evaluate import evaluate
from spindle.machines.native import NativeMachine
from spindle.options import Options
from spindle.session import SESSION

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples"))
import mlp_digits as net  # noqa: E402

BATCH = 64


@pytest.fixture
def machine() -> Iterator[NativeMachine]:
    before = SESSION.machine
    with native() as opened:
        SESSION.machine = opened
        yield opened
    SESSION.machine = before


def _start(seed: int = 0) -> Any:
    return jax.tree.map(np.asarray, net.init(jax.random.key(seed)))


def _eight_steps(state: Any, images: Any, labels: Any, starts: Any) -> Any:
    return net.train_steps(state, images, labels, starts, BATCH)


def _data() -> tuple[np.ndarray, np.ndarray]:
    (images, labels), _ = net.digits()
    return images, labels


def _starts(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, net.N_TRAIN - BATCH, n, np.int32)


@pytest.mark.parametrize("matmul", ["bfp28", "bfp16", "bfp13"])
def test_twenty_steps_have_the_evaluators_bits(matmul: Any) -> None:
    args = [*jax.tree.leaves(_start()), *_data(), _starts(20)]
    module, options = module_of(_eight_steps, (_start(), *_data(), _starts(20))), Options(matmul)
    want = evaluate(module, args, options)
    with native(dma_mode=1) as machine:
        assert_same_bits(run_image(compile_module(module, options), args, machine), want)


def test_weights_are_the_same_on_any_cores_and_tiles() -> None:
    args = [*jax.tree.leaves(_start()), *_data(), _starts(8)]
    module = module_of(_eight_steps, (_start(), *_data(), _starts(8)))
    seen = set()
    for tile in TILES:
        image = compile_module(module, Options(max_tile=tile))
        for i, cores in enumerate(CORES):
            with native(cores, dma_mode=i % 2) as machine:
                results = run_image(image, args, machine)
            seen.add(hashlib.sha256(b"".join(r.tobytes() for r in results)).hexdigest())
    assert len(seen) == 1


def test_weights_after_fifty_steps_are_those_of_jax(machine: NativeMachine) -> None:
    images, labels = _data()
    ours, theirs = _start(), _start()
    step, reference = spindle.jit(_eight_steps, donate_argnums=0), jax.jit(_eight_steps)
    for i in range(5):
        ours, _ = step(ours, images, labels, _starts(10, i))
        theirs, _ = reference(theirs, images, labels, _starts(10, i))
    for a, b in zip(jax.tree.leaves(ours[0]), jax.tree.leaves(theirs[0]), strict=True):
        assert float(np.abs(np.asarray(a) - np.asarray(b)).max()) < 1e-4


def _gradients(params: Any, x: Any, y: Any) -> Any:
    return jax.grad(net.loss)(params, x, y)


def _flat(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(tree)]


def _double_precision(params: Any, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda a: np.asarray(a, np.float64), params)
        return _flat(jax.jit(_gradients)(wide, x.astype(np.float64), y))


@pytest.mark.parametrize("steps", [0, 5, 20])
def test_gradients_against_double_precision(steps: int, machine: NativeMachine) -> None:
    """docs/numerics.md 5: bounded by JAX's own float32 error, worst of three permutations."""
    images, labels = _data()
    state = _start()
    if steps:
        state, _ = jax.jit(_eight_steps)(state, images, labels, _starts(steps))
    params = jax.tree.map(np.asarray, state[0])
    x, y = images[:BATCH], labels[:BATCH]
    exact = _double_precision(params, x, y)
    orders = [np.random.default_rng(i).permutation(BATCH) for i in range(3)]
    theirs = [_flat(jax.jit(_gradients)(params, x[order], y[order])) for order in orders]
    ours = _flat(spindle.jit(_gradients)(params, x, y))
    net_norm = np.sqrt(sum(float((g**2).sum()) for g in exact))
    for i, g64 in enumerate(exact):
        noise = max(float(np.linalg.norm(t[i] - g64)) for t in theirs)
        limit = max(1e-5 * float(np.linalg.norm(g64)), 4 * noise, 1e-6 * net_norm)
        assert float(np.linalg.norm(ours[i] - g64)) <= limit


@pytest.mark.parametrize("steps", [0, 20])
def test_gradients_in_bfp16_point_where_those_in_double_precision_do(steps: int) -> None:
    """docs/numerics.md 5: the cosine over the whole net."""
    images, labels = _data()
    state = _start()
    if steps:
        state, _ = jax.jit(_eight_steps)(state, images, labels, _starts(steps))
    args = (jax.tree.map(np.asarray, state[0]), images[:BATCH], labels[:BATCH])
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(args)]
    ours = _flat(evaluate(module_of(_gradients, args), leaves, Options("bfp16")))
    a, b = (
        np.concatenate([g.ravel() for g in grads]) for grads in (ours, _double_precision(*args))
    )
    assert a @ b >= 0.999 * np.linalg.norm(a) * np.linalg.norm(b)


def test_three_programs_share_weights_without_a_transfer(machine: NativeMachine) -> None:
    train, test = spindle.device_put(net.digits())
    init = spindle.jit(net.init)
    step = spindle.jit(net.train_steps, donate_argnums=0, static_argnums=4)
    count = spindle.jit(net.evaluate)
    for _ in range(2):  # the first round also loads the programs
        moved = [machine.host_bytes()]
        state = init(jax.random.key(0))
        moved.append(machine.host_bytes())
        state, losses = step(state, *train, _starts(8), BATCH)
        moved.append(machine.host_bytes())
        right = count(state[0], *test)
        moved.append(machine.host_bytes())
    key, starts, number = 8, 8 * 4, 4
    assert np.diff(moved).tolist() == [key, starts, 0]
    assert 0 <= float(right) <= len(test[1])
    assert machine.host_bytes() - moved[-1] == number
    assert losses.shape == (8,)


def test_initial_weights_are_those_of_jax(machine: NativeMachine) -> None:
    ours = spindle.jit(net.init)(jax.random.key(3))
    theirs = net.init(jax.random.key(3))
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=0, atol=2e-7)


_RELOAD = """
import sys, numpy as np, spindle
program = spindle.load(sys.argv[1])
arrays = np.load(sys.argv[2])
outs = program(*(arrays[f"arr_{i}"] for i in range(len(arrays))))
np.savez(sys.argv[3], *(np.asarray(out) for out in outs))
"""


def test_a_saved_net_gives_the_same_bits_in_a_new_process(
    tmp_path: Path, machine: NativeMachine
) -> None:
    state = _start()
    images, _ = _data()
    lowered = jax.jit(net.forward).trace(state[0], images[:7])
    text = lowered.lower(lowering_platforms=("spinnaker",)).as_text()
    program = spindle.compile(text)
    args = [np.asarray(leaf) for leaf in jax.tree.leaves(state[0])] + [images[:7]]
    want = [np.asarray(out) for out in program(*args)]
    program.save(tmp_path / "net.spindle")
    np.savez(tmp_path / "in.npz", *args)
    paths = [str(tmp_path / name) for name in ("net.spindle", "in.npz", "out.npz")]
    subprocess.run([sys.executable, "-c", _RELOAD, *paths], check=True, cwd=ROOT)
    got = np.load(tmp_path / "out.npz")
    assert_same_bits([got[f"arr_{i}"] for i in range(len(want))], want)


def test_a_tensor_that_does_not_fit_names_the_largest_buffers(machine: NativeMachine) -> None:
    def wide(x: Any) -> Any:
        big = jax.numpy.tanh(x[:, None] * x[None, :])
        return (big @ big).sum()

    with pytest.raises(spindle.UserError) as raised:
        spindle.jit(wide)(np.ones(4000, np.float32))
    text = str(raised.value)
    assert "test_training.py:" in text


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_other_optimisers(optimizer: str, machine: NativeMachine) -> None:
    def step(params: Any, speed: Any, x: Any, y: Any) -> Any:
        grads = jax.grad(net.loss)(params, x, y)
        if optimizer == "momentum":
            speed = jax.tree.map(lambda v, g: 0.9 * v + g, speed, grads)
            grads = speed
        return jax.tree.map(lambda p, g: p - 0.1 * g, params, grads), speed

    images, labels = _data()
    params = _start()[0]
    speed = jax.tree.map(np.zeros_like, params)
    args = (params, speed, images[:BATCH], labels[:BATCH])
    module = module_of(step, args)
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(args)]
    got = run_image(compile_module(module, Options()), leaves, machine)
    assert_same_bits(got, evaluate(module, leaves))
