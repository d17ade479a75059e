"""lower_convolution, patches, given_exponents: the evaluator's bits, whatever the attributes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pass_tools import assert_same_bits, hostile

from spindle.ir.evaluate import evaluate
from spindle.ir.graph import Module, walk
from spindle.ir.verify import verify
from spindle.options import Options
from spindle.passes import pipeline
from spindle.passes.fix_numerics import fix_numerics
from spindle.passes.lower_convolution import lower_convolution

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conv_data as data


def lowered(module: Module, options: Options) -> Module:
    result = lower_convolution(fix_numerics(module, options), options)
    verify(result)
    assert all(op.kind != "convolution" for op in walk(result.body))
    return result


@pytest.mark.parametrize("matmul", data.MODES)
@pytest.mark.parametrize("name", data.LAYERS)
def test_layers_keep_their_bits_through_all_passes(name, matmul):
    options = Options(matmul=matmul)
    module = data.training(data.LAYERS[name])
    assert_same_bits(module, pipeline.run(module, options), options)


@pytest.mark.parametrize("matmul", data.BFP_MODES)
@pytest.mark.parametrize("order", data.FORMS)
@pytest.mark.parametrize("name", data.OPERANDS)
def test_hostile_operands(name, order, matmul):
    a, b = data.operands(name, 2, 60, 3, 4, 3)
    op = data.conv_op(a, b, order, strides=(1, 2))
    module = data.module_with(op)
    args, options = [data.laid_out(a, order), b], Options(matmul=matmul)
    want, got = evaluate(module, args, options), evaluate(lowered(module, options), args)
    assert (want[0].view(np.uint32) == got[0].view(np.uint32)).all()


@st.composite
def convolutions(draw):
    """An op with any small extents, steps and groups."""
    pick = lambda low, high: draw(st.integers(low, high))  # noqa: E731
    pair = lambda low, high: (pick(low, high), pick(low, high))  # noqa: E731
    features, batches = draw(st.sampled_from([(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)]))
    channels, images, outputs = pick(0, 3), pick(0, 2), pick(0, 2)
    dtype = draw(st.sampled_from([np.float32, np.float32, np.int32]))
    lhs = np.zeros((images * batches, channels * features, *pair(0, 4)), dtype)
    rhs = np.zeros((outputs * features * batches, channels, *pair(1, 3)), dtype)
    return data.conv_op(
        lhs,
        rhs,
        draw(st.sampled_from(list(data.FORMS))),
        strides=pair(1, 3),
        padding=(pair(-2, 3), pair(-2, 3)),
        lhs_dilation=pair(1, 3),
        rhs_dilation=pair(1, 2),
        reversal=(draw(st.booleans()), draw(st.booleans())),
        feature_groups=features,
        batch_groups=batches,
        precision=draw(st.sampled_from(["DEFAULT", "HIGH", "float32"])),
    )


@settings(max_examples=150, deadline=None)
@given(convolutions())
def test_any_convolution_keeps_its_bits(op):
    module = data.module_with(op)
    verify(module)
    assert_same_bits(module, lowered(module, Options()), Options(), odd=0.3)


def test_through_all_passes_and_back_in_the_axes_of_the_op():
    rng = np.random.default_rng(0)
    layer = data.Layer((3, 5, 4, 2), (3, 3, 2, 3), layout=("WNHC", "OHIW", "HCNW"))
    module = data.module_of(layer.forward, data.arguments(layer))
    result = pipeline.run(module, Options())
    args = [hostile(rng, value.type) for value in module.body.params]
    want, got = evaluate(module, args)[0], evaluate(result, args)[0]
    assert (want.view(np.uint32) == got.view(np.uint32)).all()


def test_the_epilogue_joins_the_dot():
    layer = data.LAYERS["3x3 same"]

    def relu(x, w, bias):
        return data.jax.nn.relu(layer.forward(x, w) + bias)

    module = data.module_of(relu, (*data.arguments(layer), np.zeros(4, np.float32)))
    fusions = [op for op in pipeline.run(module, Options()).body.ops if op.kind == "fusion"]
    bodies = [[op.kind for op in fusion.regions[0].ops] for fusion in fusions]
    (body,) = [kinds for kinds in bodies if "dot_general" in kinds]
    assert "maximum" in body and "add" in body


@pytest.mark.parametrize(("name", "reads"), [("3x3 same", 4), ("1x1", 0), ("3-d", 6)])
def test_windows_are_read_axis_by_axis(name, reads):
    """Once for each spatial axis, forward and input gradient; the weights are places."""
    layer = data.LAYERS[name]
    module = data.module_of(lambda x, w: layer.training(x, w)[:2], data.arguments(layer))
    kinds = [op.kind for op in lowered(module, Options()).body.ops]
    assert kinds.count("strided") == reads
