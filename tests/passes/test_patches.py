"""patches: the matrix of windows that the evaluator's definition has."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from pass_tools import module_of

from spindle.ir.convolution import geometry
from spindle.ir.evaluate import evaluate
from spindle.ir.evaluate_conv import windows
from spindle.ir.graph import TensorType, Value
from spindle.ir.rewrite import Builder
from spindle.passes import patches

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conv_data as data

STEPS = [
    {},
    {"strides": (2, 3), "padding": ((0, 2), (-1, 1))},
    {"lhs_dilation": (3, 2), "padding": ((-2, 0), (4, -1))},
    {"rhs_dilation": (2, 1), "padding": ((2, 2), (1, 0))},
]


@pytest.mark.parametrize("form", data.FORMS)
@pytest.mark.parametrize("attrs", STEPS)
def test_windows_in_contracted_order(attrs, form):
    rng = np.random.default_rng(0)
    a, b = data.floats(rng, (2, 3, 5, 4)), data.floats(rng, (2, 3, 3, 2))
    shape = geometry(data.conv_op(a, b, form, **attrs))
    first = form == "weight_gradient"
    images = np.ascontiguousarray(a if first else a.transpose(0, 2, 3, 1))
    builder, param = Builder(), Value(TensorType(images.shape, "f32"))
    make = patches.weight_gradient if first else patches.forward
    found = make(builder, param, shape, "")
    (got,) = evaluate(module_of(builder, [param], [found]), [images])
    assert (got.reshape(-1, shape.contracted) == windows(a[None], shape, form)[0]).all()


def test_a_dense_read_is_a_reshape():
    builder, param = Builder(), Value(TensorType((2, 3, 1, 4), "f32"))
    found = patches.strided(builder, param, (6, 1, 4), (4, 99, 1), "")
    assert found.shape == (6, 1, 4) and [op.kind for op in builder.ops] == ["reshape"]
