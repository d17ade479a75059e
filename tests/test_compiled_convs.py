"""Convolutions through the whole compiler: evaluator == native == iss, layers and hostile data."""

from __future__ import annotations

from typing import Any

import conv_data as data
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from board_tools import iss
from native_tools import assert_same_bits, check, module_of, native, run_image

from spindle.compile import compile_module
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import Module, Op, Region, TensorType, Value
from spindle.options import Options

STRIDED = data.Layer((2, 5, 6, 3), (3, 3, 3, 4), (2, 2))


@pytest.mark.parametrize("matmul", data.BFP_MODES)
@pytest.mark.parametrize("name", data.LAYERS)
def test_layers_with_their_gradients(name: str, matmul: Any) -> None:
    layer, options = data.LAYERS[name], Options(matmul=matmul)
    check(layer.training, data.arguments(layer), cores=(16,), tiles=(None,), options=options)


@pytest.mark.parametrize("name", ["3x3 strided", "depthwise", "NCHW"])
def test_layers_in_float32(name: str) -> None:
    layer = data.LAYERS[name]
    check(layer.training, data.arguments(layer), cores=(16,), tiles=(None,), options=data.FLOAT32)


@pytest.mark.parametrize("matmul", data.BFP_MODES)
def test_cores_and_tiles_change_no_bit(matmul: Any) -> None:
    args, options = data.arguments(STRIDED), Options(matmul=matmul)
    check(STRIDED.training, args, cores=(1, 15, 17), tiles=(None, 8), options=options)


@pytest.mark.parametrize("matmul", data.BFP_MODES)
def test_several_blocks_of_the_contraction(matmul: Any) -> None:
    deep, options = data.Layer((1, 4, 4, 70), (3, 3, 70, 3)), Options(matmul=matmul)
    tiles = (None, 64) if matmul == "bfp28" else (64,)
    check(deep.training, data.arguments(deep), cores=(16,), tiles=tiles, options=options)


def run(module: Module, many: list[list[np.ndarray]], matmul: Any = "bfp28") -> None:
    """Evaluator == native on several arguments of one program."""
    options = Options(matmul=matmul)
    image = compile_module(module, options)
    with native() as machine:
        for args in many:
            assert_same_bits(run_image(image, args, machine), evaluate(module, args, options))


@pytest.mark.parametrize("matmul", data.BFP_MODES)
@pytest.mark.parametrize("order", data.FORMS)
def test_hostile_operands(order: str, matmul: Any) -> None:
    pairs = [data.operands(name, 4, 3, 4, 5, 3) for name in data.OPERANDS]
    pairs += [data.nonfinite(name) for name in data.NONFINITE]
    module = data.module_with(data.conv_op(*pairs[0], order, strides=(2, 1)))
    run(module, [[np.ascontiguousarray(data.laid_out(a, order)), b] for a, b in pairs], matmul)


def test_integers_and_reverse() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-(2**31), 2**31, s).astype(np.int32) for s in ((2, 3, 5, 5), (4, 3, 3, 3)))
    run(data.module_with(data.conv_op(a, b, reversal=(True, True))), [[a, b]])


STRIDED_READS = [((3, 4, 2), (1, 7, 2)), ((2, 66, 67, 3), (1, 3, 1, 2)), ((0, 3), (1, 1))]


@pytest.mark.parametrize(("shape", "strides"), STRIDED_READS)
def test_strided_reads_overlap(shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
    source = Value(TensorType((10, 40), "f32"))
    out = Value(TensorType(shape, "f32"))
    op = Op("strided", (source,), (out,), {"strides": strides})
    module = Module("strided", Region((source,), (op,), (out,)))
    x = np.arange(400, dtype=np.float32).reshape(10, 40)
    index = np.indices(shape).transpose(*range(1, len(shape) + 1), 0) @ np.array(strides)
    assert (evaluate(module, [x])[0] == index).all()
    run(module, [[x]])


def net(params: Any, x: Any, labels: Any) -> Any:
    """Loss of conv, bias, relu, conv with strides, dense."""
    first, bias, second, dense = params
    same = data.Layer(x.shape, first.shape)
    h = jax.nn.relu(same.forward(x, first) + bias)
    h = jax.nn.relu(data.Layer(h.shape, second.shape, (2, 2)).forward(h, second))
    logits = h.reshape(h.shape[0], -1) @ dense
    return -jnp.mean(jnp.sum(jax.nn.log_softmax(logits) * labels, axis=1))


def step(params: Any, x: Any, labels: Any) -> Any:
    """One step of gradient descent."""
    loss, grads = jax.value_and_grad(net)(params, x, labels)
    return loss, jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)


def net_arguments() -> list[Any]:
    rng = np.random.default_rng(1)
    shapes = ((3, 3, 1, 4), (4,), (3, 3, 4, 6), (4 * 4 * 6, 3))
    params = tuple(0.3 * data.floats(rng, shape) for shape in shapes)
    labels = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 4)]
    return [params, data.floats(rng, (4, 8, 8, 1)), labels]


def test_a_small_net_trains_on_native_and_iss_with_the_same_bits() -> None:
    args = net_arguments()
    module, leaves = module_of(step, args), [np.asarray(x) for x in jax.tree.leaves(args)]
    want = evaluate(module, leaves)
    image = compile_module(module, Options())
    for opened in (native, iss):
        with opened() as machine:
            assert_same_bits(run_image(image, leaves, machine), want)
    losses = jax.jit(step)(*args)
    np.testing.assert_allclose(want[0], losses[0], rtol=1e-5)
    for ours, theirs in zip(want[1:], losses[1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
